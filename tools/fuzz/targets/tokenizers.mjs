// @ts-check
/** Tokenizers: mutated files with adversarial texts, and valid ones with adversarial texts and token ids. */
import { ggufTokenizer, tokenizerOf } from '@attune/text'
import { parsedContainer } from '../mutate-json.mjs'
import { changedInput } from '../mutate.mjs'
import { loadPlugin } from '../plugins.mjs'
import { below, magnitude, pick } from '../random.mjs'
import { runOf } from '../grow-text.mjs'
import { TEXTS, builtPlugins, ggufTokenizerSeeds, tokenizerNames, tokenizerSeeds, wholeTokenizer } from '../seeds.mjs'
import { withMadeSteps } from '../tokenizer-steps.mjs'

/** @import { EncodeOptions, Tokenizer } from '@attune/core' */
/** @import { TokenizerKind } from '@attune/text' */
/** @import { Input } from '../input.mjs' */
/** @import { Random } from '../random.mjs' */
/** @import { Target } from '../target.mjs' */

const FILE = 'tokenizer.json'
/** Number of ids decoded after a text was tokenized: decoding has a separate target. */
const DECODED = 1000

/** Tokenization options, which the program chooses: `pair` refers to another text of the input. @type {readonly (Omit<EncodeOptions, 'pair'> & { pair?: true })[]} */
const OPTIONS = [
  { offsets: true },
  {},
  { maximumLength: 128 },
  { maximumLength: 128, truncationSide: 'left', offsets: true },
  { maximumLength: 128, stride: 16 },
  { maximumLength: 64, pair: true },
  { pair: true, offsets: true },
]

/** Index of random options. @param {Random} random */
const someOptions = (random) => String(below(OPTIONS.length, random))

/** A seed text, or a repetition that is hard to tokenize. @param {Random} random */
const textOf = (random) =>
  random() < 0.6 ? pick(TEXTS, random) : runOf(magnitude(10, 3000, random), random) + pick(TEXTS, random)

/** @param {Tokenizer} tokenizer @param {Input} input */
function encode(tokenizer, { text = '', other = '', options = '0' }) {
  const chosen = OPTIONS[Math.abs(Number.parseInt(String(options), 10) || 0) % OPTIONS.length]
  const { pair, ...rest } = chosen ?? {}
  const { ids } = tokenizer.encode(String(text), pair === undefined ? rest : { ...rest, pair: String(other) })
  tokenizer.decode(ids.slice(0, DECODED))
}

/** A mutated tokenizer file and a text. @param {string} name @param {string} part @param {readonly string[]} files @param {(random: Random, file: string) => string} made @returns {Pick<Target, 'name' | 'valid' | 'make'>} */
const fileAndText = (name, part, files, made) => ({
  name,
  valid: files.map((file, i) => ({ [part]: file, text: TEXTS[i % TEXTS.length], options: '0' })),
  make(random) {
    const isMade = random() < 0.4
    const file = isMade ? made(random, pick(files, random)) : pick(files, random)
    const changed = random() < (isMade ? 0.3 : 0.9) ? changedInput({ [part]: file }, random) : { [part]: file }
    return { ...changed, text: textOf(random), other: pick(TEXTS, random), options: someOptions(random) }
  },
})

/** The tokenizer.json of a plugin that trains its vocabulary on texts. @param {any} plugin */
async function trained(plugin) {
  async function* examples() {
    for (const text of TEXTS) for (let times = 0; times < 3; times++) yield { text }
  }
  return JSON.stringify((await plugin.fit(plugin.options.parse({}), examples)).json)
}

/** @returns {Promise<Target[]>} */
async function files() {
  const seeds = tokenizerSeeds()
  /** @param {string} name @param {readonly string[]} texts @param {(path: string) => Tokenizer} open @returns {Target} */
  const target = (name, texts, open) => ({
    ...fileAndText(name, FILE, texts, (random, file) => withMadeSteps(file, random)),
    files: true,
    read: (input, folder) => encode(open(folder), input),
  })
  const targets = [...seeds].map(([type, texts]) => {
    const kind = /** @type {TokenizerKind} */ ({ name: 'fuzzed', type })
    return target(`tokenizer.json, ${type}`, texts, (path) => tokenizerOf({ path }, kind))
  })
  for (const { folder, name, module } of builtPlugins('tokenizer')) {
    const plugin = await loadPlugin(module)
    const found = [...seeds].find(([type]) => type.toLowerCase() === name)?.[1]
    const open = (/** @type {string} */ path) => /** @type {Tokenizer} */ (plugin({ path }))
    targets.push(target(folder, found ?? [await trained(plugin)], open))
  }
  return targets
}

/** @returns {Target} */
function gguf() {
  return {
    ...fileAndText('tokenizer in the metadata of a GGUF file', 'metadata', ggufTokenizerSeeds(), (_, file) => file),
    read(input) {
      const { json, config } = ggufTokenizer(parsedContainer(String(input.metadata)) ?? {}, 'fuzzed')
      const { type } = /** @type {any} */ (json).model
      encode(tokenizerOf({ json, config }, { name: 'fuzzed', type }), input)
    },
  }
}

/** @param {string} name */
const whole = (name) => {
  const json = wholeTokenizer(name)
  return tokenizerOf({ json, config: {} }, { name, type: json.model.type })
}

/** @param {string} name @returns {Target} */
function texts(name) {
  const tokenizer = whole(name)
  return {
    name: `text, ${name} tokenizer`,
    valid: TEXTS.map((text) => ({ text, options: '0' })),
    make: (random) =>
      changedInput({ text: textOf(random), other: pick(TEXTS, random), options: someOptions(random) }, random),
    read: (input) => encode(tokenizer, input),
  }
}

/** @param {readonly string[]} names @returns {Target} */
function tokenIds(names) {
  const tokenizers = names.map(whole)
  return {
    name: 'token ids',
    valid: names.map((_, i) => ({ ids: '[0,1,2,3,70,500,1100,4000000]', tokenizer: String(i) })),
    read({ ids, tokenizer }) {
      const chosen = tokenizers[Math.abs(Number.parseInt(String(tokenizer), 10) || 0) % tokenizers.length]
      const values = Object.values(parsedContainer(String(ids)) ?? [])
      chosen?.decode(values.filter((value) => typeof value === 'number'))
    },
  }
}

/** @returns {Promise<Target[]>} */
export async function targets() {
  const names = tokenizerNames()
  return [...(await files()), gguf(), ...names.map(texts), tokenIds(names)]
}
