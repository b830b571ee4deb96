// @ts-check
/**
 * Benchmarks tokenization: Attune, the tokenizers library (Rust) in one thread, and @huggingface/tokenizers, in turns, on the same texts.
 *
 *     PYTHON=… node tools/bench/tokenize.mjs [--texts FILE.gz] [--rounds 3] [--write]
 *
 * FILE contains texts separated by empty lines; the default is the texts of examples/debian-sections. `--write` writes the table to
 * docs/measurements/benchmarks.md. Python needs tokenizers.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { tokenizerOf } from '@attune/text'
import { table } from '@attune/terminal'
import { Tokenizer } from '@huggingface/tokenizers'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'

const { values } = parseArgs({
  options: {
    texts: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
  },
})

/** @param {string} path */
const unzip = (path) => gunzipSync(readFileSync(path)).toString()

/** @returns {string[]} */
const examples = () =>
  ['train', 'validation', 'test'].flatMap((split) =>
    unzip(join(root, `examples/debian-sections/${split}.jsonl.gz`))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).text),
  )
const texts = values.texts === undefined ? examples() : unzip(values.texts).trim().split(/\n\n+/)
const characters = texts.reduce((sum, text) => sum + text.length, 0)

const KINDS = /** @type {const} */ ([
  ['word-piece', 'WordPiece', 'WordPiece as in BERT'],
  ['gpt2', 'BPE', 'byte-level BPE as in GPT-2'],
  ['xlm-roberta', 'Unigram', 'Unigram as in XLM-R'],
])

/** Tokenizes all texts and returns the seconds and the number of tokens. @typedef {() => Promise<{ seconds: number, tokens: number }>} Round */

/** @param {(text: string) => number} count @returns {Round} */
const timed = (count) => async () => {
  const begun = performance.now()
  let tokens = 0
  for (const text of texts) tokens += count(text)
  return { seconds: (performance.now() - begun) / 1000, tokens }
}

/** @param {string} folder @param {string} tokenizer */
async function rust(folder, tokenizer) {
  const child = spawn(process.env['PYTHON'] ?? 'python3', [
    join(root, 'tools/bench/tokenize_rust.py'),
    folder,
    tokenizer,
  ])
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { value, done } = await lines.next()
  if (done === true) throw new Error('Python with tokenizers failed to start: set PYTHON')
  const round = async () => {
    child.stdin.write('go\n')
    return JSON.parse((await lines.next()).value)
  }
  return { about: JSON.parse(value).about, round, end: () => child.kill() }
}

const folder = mkdtempSync(join(tmpdir(), 'attune-tokenize-'))
writeFileSync(join(folder, 'texts.json.gz'), gzipSync(JSON.stringify(texts)))
/** @type {string[][]} */
const rows = []
let about = ''
for (const [name, type, title] of KINDS) {
  const { tokenizer: json } = JSON.parse(unzip(join(root, `packages/text/golden/encodings-${name}.json.gz`)))
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(json))
  const peer = await rust(join(folder, 'texts.json.gz'), join(folder, `${name}.json`))
  about = peer.about
  const [ours, library] = [tokenizerOf({ json }, { name, type }), new Tokenizer(json, {})]
  /** @type {Record<string, Round>} */
  const peers = {
    attune: timed((text) => ours.encode(text).ids.length),
    'attune, with offsets': timed((text) => ours.encode(text, { offsets: true }).ids.length),
    rust: peer.round,
    '@huggingface/tokenizers': timed((text) => library.encode(text).ids.length),
  }
  /** @type {Record<string, { seconds: number, tokens: number }[]>} */
  const found = {}
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [each, go] of Object.entries(peers)) (found[each] ??= []).push(await go())
  peer.end()
  const best = (/** @type {string} */ each) => Math.min(...(found[each] ?? []).map(({ seconds }) => seconds))
  for (const each of Object.keys(peers))
    rows.push([
      title,
      each,
      best(each).toFixed(2),
      (characters / 1e6 / best(each)).toFixed(1),
      String(found[each]?.[0]?.tokens),
      `${(best('rust') / best(each)).toFixed(2)} ×`,
    ])
}
rmSync(folder, { recursive: true })

const header = ['tokenizer', 'peer', 'seconds', 'M characters/s', 'tokens', 'speed relative to Rust']
const head = `${texts.length} texts of ${(characters / 1e6).toFixed(1)} M characters, the best of ${values.rounds} rounds; ${about}; @huggingface/tokenizers 0.2.0; Node ${process.versions.node}.`
console.log(`${head}\n${table(header, rows).join('\n')}`)
if (values.write) {
  writePart(join(root, 'docs/measurements/benchmarks.md'), 'tokenization', `${head}\n\n${markdownTable(header, rows)}`)
}
