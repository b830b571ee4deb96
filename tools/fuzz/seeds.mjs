// @ts-check
/** Valid files from which malformed ones are made: golden files of the packages, reduced so that reading them takes little time. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Decompressed bytes of a golden file. @param {string} path such as `text/golden/splits.json.gz` */
export function golden(path) {
  const bytes = readFileSync(join(root, 'packages', path))
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

/** Content of a golden JSON file. @param {string} path @returns {any} */
export const goldenJson = (path) => JSON.parse(golden(path).toString())

/** Number of entries kept of a vocabulary. */
const KEPT = 60

/** The entries with the smallest ids. @param {Record<string, number>} vocabulary */
const reduced = (vocabulary) => Object.fromEntries(Object.entries(vocabulary).filter(([, id]) => id < KEPT))

/** A tokenizer.json with a reduced vocabulary. @param {any} json */
function small(json) {
  const { model } = json
  const unigram = model.type === 'Unigram'
  const vocab = unigram ? model.vocab.slice(0, KEPT) : reduced(model.vocab)
  const known = (/** @type {string} */ token) => unigram || Object.hasOwn(vocab, token)
  const parts = (/** @type {any} */ merge) => (typeof merge === 'string' ? merge.split(' ') : merge)
  const merges = model.merges?.filter(
    (/** @type {any} */ merge) => known(parts(merge).join('')) && parts(merge).every(known),
  )
  const text = JSON.stringify({ ...json, model: { ...model, vocab, ...(merges === undefined ? {} : { merges }) } })
  // SentencePiece's normalization rules take some hundred kilobytes; this is only the root of its trie.
  return text.replace(
    /"precompiled_charsmap":"[^"]{1000,}"/,
    `"precompiled_charsmap":"${Buffer.from([8, 0, 0, 0, 0, 4, 0, 0, 65, 0, 0, 0, 66, 0]).toString('base64')}"`,
  )
}

/** Names of golden tokenizers, such as `gpt2`. */
export const tokenizerNames = () =>
  readdirSync(join(root, 'packages/text/golden'))
    .flatMap((file) => /^encodings-(.*)\.json\.gz$/.exec(file)?.[1] ?? [])
    .sort()

/** The complete tokenizer.json of a golden file. @param {string} name @returns {any} */
export const wholeTokenizer = (name) => goldenJson(`text/golden/encodings-${name}.json.gz`).tokenizer

/** Small tokenizer.json texts by model type. @returns {Map<string, string[]>} */
export function tokenizerSeeds() {
  const seeds = new Map()
  for (const tokenizer of tokenizerNames().map(wholeTokenizer)) {
    const { type } = tokenizer.model
    seeds.set(type, [...(seeds.get(type) ?? []), small(tokenizer)])
  }
  return seeds
}

/** JSON metadata of GGUF files with tokenizers, with small vocabularies. @returns {string[]} */
export function ggufTokenizerSeeds() {
  const { cases } = goldenJson('text/golden/gguf-tokenizers.json.gz')
  return Object.values(cases).map(({ metadata }) => {
    const known = new Set(metadata['tokenizer.ggml.tokens'].slice(0, KEPT))
    const entries = Object.entries(metadata).map(([key, value]) => {
      if (!Array.isArray(value)) return [key, value]
      if (!key.endsWith('.merges')) return [key, value.slice(0, KEPT)]
      return [key, value.filter((merge) => known.has(merge.replace(' ', '')))]
    })
    return JSON.stringify(Object.fromEntries(entries))
  })
}

/** Built plugins of a kind: folder, name, and path of the module. @param {string} kind */
export const builtPlugins = (kind) =>
  readdirSync(join(root, 'plugins'))
    .filter((folder) => folder.startsWith(`${kind}-`))
    .sort()
    .map((folder) => {
      const name = folder.slice(kind.length + 1)
      return { folder, name, module: join(root, 'plugins', folder, 'dist', `${name}.js`) }
    })
    .filter(({ module }) => existsSync(module))

/** config.json of each golden case of a model plugin. @param {string} folder @returns {string[]} */
export function configSeeds(folder) {
  const cases = join(root, 'plugins', folder, 'golden')
  if (!existsSync(cases)) return []
  return readdirSync(cases)
    .sort()
    .map((name) => join(cases, name, 'config.json'))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
}

/** Texts in several scripts, to tokenize and to write into files. */
export const TEXTS = [
  'hello world',
  "don't İstanbul 🙂 東京 naïve\u0301\u0000 12345",
  'The quick brown fox; jumps over 13 lazy dogs.\nAnd again:\n\n  - one\n  - two\n',
  'ﷺ ﬁ ½ Ⅷ ㎏ é e\u0301\u0323 각 \u1100\u1161\u11a8',
  'x'.repeat(300),
  'a b '.repeat(50),
  '',
]

/** Files that lock checks read to detect if the process that holds a lock is alive. */
export const LOCK_FILES = [/^\/proc\/\d+\/stat$/, /^\/proc\/sys\/kernel\/random\/boot_id$/]
