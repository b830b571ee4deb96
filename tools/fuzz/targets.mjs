// @ts-check
/** The readers, each with what makes broken inputs for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readWordVectors } from '@attune/embeddings'
import { configFromOptions, openWeights, optionsFromConfig, weightsInMemory } from '@attune/nn'
import { ggufTokenizer, tokenizerOf } from '@attune/text'
import { changedBytes, lengthsIn, safetensorsOf } from './mutate-bytes.mjs'
import { changedJson, changedJsonText, changedText, pick } from './mutate-json.mjs'
import {
  builtPlugins,
  configSeeds,
  ggufSeeds,
  ggufTokenizerSeeds,
  root,
  safetensorsSeed,
  tokenizerSeeds,
} from './seeds.mjs'

/** @import { WeightsReader } from '@attune/nn' */
/** @typedef {() => number} Random */
/**
 * @typedef {object} Target
 * @property {string} name
 * @property {(random: Random) => unknown} read makes an input and reads it, all of it
 */

/** Reads every tensor. @param {WeightsReader} reader */
function readAll(reader) {
  try {
    for (const name of reader.tensors.keys()) reader.read(name)
  } finally {
    reader.close()
  }
}

/** @param {string} folder where files are written @returns {Target[]} */
function safetensors(folder) {
  const { header, data } = safetensorsSeed()
  const whole = safetensorsOf(header, data, () => 1)
  const make = (/** @type {Random} */ random) => {
    if (random() < 0.3) return changedBytes(whole, [0], random)
    if (random() < 0.3) return safetensorsOf(changedText(header, random), data, random)
    return safetensorsOf(changedJsonText(header, random), data, random)
  }
  const single = join(folder, 'model.safetensors')
  const index = join(folder, 'model.safetensors.index.json')
  const names = Object.keys(JSON.parse(header)).filter((name) => name !== '__metadata__')
  const map = JSON.stringify({
    metadata: {},
    weight_map: Object.fromEntries(names.map((name) => [name, 'model.safetensors'])),
  })
  return [
    { name: 'safetensors, in memory', read: (random) => readAll(weightsInMemory(make(random), 'fuzzed')) },
    {
      name: 'safetensors, a file',
      read(random) {
        writeFileSync(single, make(random))
        readAll(openWeights(single))
      },
    },
    {
      name: 'safetensors, several files with an index',
      read(random) {
        writeFileSync(single, random() < 0.8 ? whole : make(random))
        writeFileSync(index, random() < 0.5 ? changedText(map, random) : changedJsonText(map, random))
        readAll(openWeights(index))
      },
    },
  ]
}

/** @returns {Target} */
function gguf() {
  const seeds = ggufSeeds().map((bytes) => ({ bytes, lengths: lengthsIn(bytes) }))
  return {
    name: 'GGUF',
    read(random) {
      const { bytes, lengths } = pick(seeds, random)
      readAll(weightsInMemory(changedBytes(bytes, lengths, random), 'fuzzed'))
    },
  }
}

/** @returns {Target} */
function ggufTokenizers() {
  const seeds = ggufTokenizerSeeds()
  return {
    name: 'tokenizer in the metadata of a GGUF file',
    read(random) {
      const { json, config } = ggufTokenizer(changedJson(pick(seeds, random), random), 'fuzzed')
      const { type } = /** @type {any} */ (json).model
      useTokenizer(tokenizerOf({ json, config }, { name: 'fuzzed', type }), random)
    },
  }
}

const TEXTS = ['', 'hello world', "don't İstanbul 🙂 東京 naïve\u0301\u0000 12345", '\ud800 lone', 'x'.repeat(300)]

/** Uses a tokenizer for all that it is for. @param {import('@attune/core').Tokenizer} tokenizer @param {Random} random */
function useTokenizer(tokenizer, random) {
  const text = pick(TEXTS, random)
  const { ids } = tokenizer.encode(text, { offsets: true })
  tokenizer.encode(text, { pair: pick(TEXTS, random), maximumLength: 12 })
  tokenizer.decode(ids)
  tokenizer.decode([0, 1, 2, 3, 70, 4_000_000])
}

/** The tokenizer.json of a plugin that learns its vocabulary from texts. @param {any} plugin */
async function trainedTokenizer(plugin) {
  async function* examples() {
    for (const text of TEXTS) for (let times = 0; times < 3; times++) yield { text }
  }
  const { json } = await plugin.fit(plugin.options.parse({}), examples)
  return JSON.stringify(json)
}

/** @param {string} folder @returns {Promise<Target[]>} */
async function tokenizers(folder) {
  const seeds = tokenizerSeeds()
  const file = join(folder, 'tokenizer.json')
  /** @param {string} name @param {string[]} texts @param {(source: any) => any} make @returns {Target} */
  const target = (name, texts, make) => ({
    name,
    read(random) {
      const text = pick(texts, random)
      if (random() < 0.7) return useTokenizer(make({ json: changedJson(text, random) }), random)
      writeFileSync(file, changedText(text, random))
      return useTokenizer(make({ path: file }), random)
    },
  })
  const targets = [...seeds].map(([type, texts]) => {
    const kind = /** @type {import('@attune/text').TokenizerKind} */ ({ name: 'fuzzed', type })
    return target(`tokenizer.json, ${type}`, texts, (source) => tokenizerOf(source, kind))
  })
  for (const { folder: plugin, name, module } of builtPlugins('tokenizer')) {
    const { default: make } = await import(pathToFileURL(module).href)
    const [, found] = [...seeds].find(([type]) => type.toLowerCase() === name) ?? []
    const texts = found ?? [await trainedTokenizer(make)]
    targets.push(target(plugin, texts, make))
  }
  return targets
}

/** @returns {Promise<Target[]>} */
async function configs() {
  const targets = []
  for (const { folder, module } of builtPlugins('model')) {
    const { default: plugin } = await import(pathToFileURL(module).href)
    const found = configSeeds(folder)
    const seeds = found.length > 0 ? found : [JSON.stringify(configFromOptions(plugin.options.parse({})))]
    targets.push({
      name: `config.json, ${folder}`,
      read: (/** @type {Random} */ random) =>
        void plugin(optionsFromConfig(plugin.options, changedJson(pick(seeds, random), random))),
    })
  }
  return targets
}

/** @param {string} folder @returns {Target[]} */
function wordVectors(folder) {
  const text = 'the 0.25 -1.5 3\nof 1e-3 2 0.125\n. . 1 2 3\nnaïve 0 0 1\n'
  const numbers = Buffer.from(Float32Array.from([0.5, -1, 2]).buffer)
  const binary = Buffer.concat([Buffer.from('2 3\na '), numbers, Buffer.from('b '), numbers])
  const [textFile, binaryFile] = [join(folder, 'vectors.txt'), join(folder, 'vectors.bin')]
  return [
    {
      name: 'word vectors, text',
      read(random) {
        writeFileSync(textFile, changedText(random() < 0.5 ? `4 3\n${text}` : text, random))
        return readWordVectors(textFile)
      },
    },
    {
      name: 'word vectors, binary',
      read(random) {
        writeFileSync(binaryFile, changedBytes(binary, [], random))
        return readWordVectors(binaryFile)
      },
    },
  ]
}

/** Everything that reads files of others, and what removes the folder they write to. */
export async function allTargets() {
  const folder = mkdtempSync(join(tmpdir(), 'attune-fuzz-'))
  const targets = [
    ...safetensors(folder),
    gguf(),
    ggufTokenizers(),
    ...(await configs()),
    ...(await tokenizers(folder)),
    ...wordVectors(folder),
  ]
  return { targets, root, close: () => rmSync(folder, { recursive: true }) }
}
