// @ts-check
/** The sound files that broken ones are made of: goldens of the packages, cut down so that a reader takes little time. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const golden = (/** @type {string} */ name) => join(root, 'packages', name)
const KEPT = 60

/** A small safetensors file of several types. */
export function safetensorsSeed() {
  const shapes = { a: ['F32', 4], b: ['F16', 2], c: ['I64', 8], d: ['BOOL', 1], e: ['BF16', 2], f: ['F64', 8] }
  let end = 0
  const entries = Object.entries(shapes).map(([name, [dtype, width]]) => {
    const start = end
    end += 6 * Number(width)
    return [name, { dtype, shape: [2, 3], data_offsets: [start, end] }]
  })
  const data = Buffer.alloc(end)
  const header = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) })
  return { header, data }
}

/** GGUF files with the metadata of tokenizers and with all types of tensors. @returns {Buffer[]} */
export const ggufSeeds = () =>
  ['quantised', 'llama', 'llama3', 'qwen2', 'gemma2'].map((name) => readFileSync(golden(`nn/golden/gguf/${name}.gguf`)))

/** The entries with the lowest ids. @param {Record<string, number>} vocabulary */
const cut = (vocabulary) => Object.fromEntries(Object.entries(vocabulary).filter(([, id]) => id < KEPT))

/** A tokenizer.json with a small vocabulary. @param {any} json */
function small(json) {
  const { model } = json
  const unigram = model.type === 'Unigram'
  const vocab = unigram ? model.vocab.slice(0, KEPT) : cut(model.vocab)
  const known = (/** @type {string} */ token) => unigram || Object.hasOwn(vocab, token)
  const parts = (/** @type {any} */ merge) => (typeof merge === 'string' ? merge.split(' ') : merge)
  const merges = model.merges?.filter(
    (/** @type {any} */ merge) => known(parts(merge).join('')) && parts(merge).every(known),
  )
  const text = JSON.stringify({ ...json, model: { ...model, vocab, ...(merges === undefined ? {} : { merges }) } })
  // Rules of SentencePiece are some hundred kilobytes; these are the root of a trie and nothing else.
  return text.replace(
    /"precompiled_charsmap":"[^"]{1000,}"/,
    `"precompiled_charsmap":"${Buffer.from([8, 0, 0, 0, 0, 4, 0, 0, 65, 0, 0, 0, 66, 0]).toString('base64')}"`,
  )
}

/** Tokenizers by the type of their model, as texts of their tokenizer.json. @returns {Map<string, string[]>} */
export function tokenizerSeeds() {
  const seeds = new Map()
  for (const name of readdirSync(golden('text/golden'))
    .filter((file) => /^encodings-.*\.json\.gz$/.test(file))
    .sort()) {
    const { tokenizer } = JSON.parse(gunzipSync(readFileSync(golden(`text/golden/${name}`))).toString())
    const { type } = tokenizer.model
    seeds.set(type, [...(seeds.get(type) ?? []), small(tokenizer)])
  }
  return seeds
}

/** The metadata of GGUF files that tell of tokenizers, with small vocabularies, as JSON. @returns {string[]} */
export function ggufTokenizerSeeds() {
  const { cases } = JSON.parse(gunzipSync(readFileSync(golden('text/golden/gguf-tokenizers.json.gz'))).toString())
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

/** The plugins of a kind that have been built: their name and their module's path. @param {string} kind */
export const builtPlugins = (kind) =>
  readdirSync(join(root, 'plugins'))
    .filter((folder) => folder.startsWith(`${kind}-`))
    .sort()
    .map((folder) => {
      const name = folder.slice(kind.length + 1)
      return { folder, name, module: join(root, 'plugins', folder, 'dist', `${name}.js`) }
    })
    .filter(({ module }) => existsSync(module))

/** The config.json of a model plugin's goldens. @param {string} folder @returns {string[]} */
export function configSeeds(folder) {
  const place = join(root, 'plugins', folder, 'golden')
  if (!existsSync(place)) return []
  return readdirSync(place)
    .sort()
    .map((name) => join(place, name, 'config.json'))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
}
