// @ts-check
/**
 * transformers loads models that Attune saved: every architecture, saved in one file and in shards, and a run from its configuration to its
 * folder. Compares logits, the ids of texts, and logits of long texts. Runs if python3 or the Python named by the environment variable
 * PYTHON has transformers.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ENGINE, TOKENIZER, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { headFor, tokenLogits } from '@attune/nn'
import { loadPretrained, run, saveModel } from '@attune/trainer/node'
import { lastValueFrom } from 'rxjs'
import { goldenCases, maximum, logitsOf, readCase, root } from './measure-model.mjs'
import { pythonWith } from './python.mjs'

/** @import { Engine, HostArray, Tokenizer } from '@attune/core' */
/** @typedef {{ difference?: number, complaint?: string, absent?: boolean, text?: string }} Verdict */

const { python, absent } = pythonWith('transformers')
const search = { folders: [root] }

const TEXTS = [
  'a library that reads and writes images in many formats',
  'The quick brown fox, and 42 others: they jumped!',
  "naïve  words\twith\nwhite space, and don't",
  'unknown letters: 東京 🙂',
  '',
]
/** The tokenizer types that transformers supports, each trained on the texts. */
const TOKENIZERS = ['wordpiece', 'bpe', 'unigram', 'word', 'character']
/** Cases for which transformers tokenizes like Qwen2's own tokenizer, regardless of tokenizer.json. */
const OTHER_TOKENIZER = ['model-llama-qwen2']
const SEVERAL_FILES = 500
const WRITING = 'causal-language-modeling'
/** Architectures that compute the attention of long texts in query blocks: with and without a sliding window, causal and bidirectional. */
const LONG = [
  'model-bart-writing',
  'model-gemma-both-ways',
  'model-gemma-gemma2',
  'model-gemma-gemma3',
  'model-gpt2-lm',
  'model-llama-llama',
  'model-llama-mistral',
  'model-modernbert-mean',
]
const LENGTH = 300
const POSITIONS = 512

/** A tokenizer trained on the texts. @param {string} name @returns {Promise<Tokenizer>} */
async function trained(name) {
  const plugin = (await findPlugin(TOKENIZER, userSpecifier(name), search)).plugin
  async function* examples() {
    for (let times = 0; times < 4; times++) for (const text of TEXTS) yield { text }
  }
  return plugin(await /** @type {any} */ (plugin.fit)(plugin.options.parse({}), examples))
}

/** Saves a golden case with the expected values for loading. */
async function saveCase(
  /** @type {{ folder: string, into: string, name: string, engine: Engine, tokenizer: Tokenizer, maximumBytes?: number }} */
  { folder, into, name, engine, tokenizer, maximumBytes },
) {
  const { golden, model, objective, weights } = await readCase(folder)
  const params = /** @type {any} */ (engine.put(weights))
  const saved = join(into, 'model')
  await saveModel(saved, { engine, model, objective, tokenizer }, params, { maximumBytes })
  engine.release(params)
  const [{ batch, logits }] = golden.examples
  const { positions } = batch
  const texts = OTHER_TOKENIZER.includes(name) ? [] : TEXTS
  const ids = texts.map((text) => Array.from(tokenizer.encode(text).ids))
  const example = { inputs: batch.inputs, logits, ...(positions ? { positions } : {}), texts, ids }
  writeFileSync(join(saved, 'example.json'), JSON.stringify(example))
  renameSync(saved, join(into, name))
}

const plain = (/** @type {any} */ { shape, dtype, values }) => ({ shape, dtype, values: Array.from(values) })

/** Inputs and logits as verify_saved.py reads them. @param {Record<string, object>} inputs @param {object} logits */
const exampleOf = (inputs, logits) => ({
  inputs: Object.fromEntries(Object.entries(inputs).map(([name, each]) => [name, plain(each)])),
  logits: plain(logits),
})

/** Repeats learned position embeddings for long texts; the first rows may be reserved. */
function lengthened(
  /** @type {HostArray} */ { shape: [rows = 0, width = 0], dtype, values },
  /** @type {number} */ first,
) {
  const at = (/** @type {number} */ i) => (i < first ? i : first + ((i - first) % (rows - first)))
  const index = (/** @type {number} */ i) => at(Math.floor(i / width)) * width + (i % width)
  const all = Float32Array.from({ length: (first + POSITIONS) * width }, (_, i) => Number(values[index(i)]))
  return { shape: [first + POSITIONS, width], dtype, values: all }
}

/** Saves a golden case that supports long texts, with its logits; returns the maximum logit. */
async function saveLong(
  /** @type {{ folder: string, into: string, name: string, engine: Engine, tokenizer: Tokenizer }} */
  { folder, into, name, engine, tokenizer },
) {
  const positions = ['maxPositionEmbeddings', 'nPositions']
  const change = (/** @type {readonly string[]} */ names) =>
    Object.fromEntries(positions.filter((option) => names.includes(option)).map((option) => [option, POSITIONS]))
  const it = await readCase(folder, change)
  const longer = (/** @type {string} */ key, /** @type {HostArray} */ each) =>
    key.includes('wpe') ? lengthened(each, 0) : key.includes('embed_positions') ? lengthened(each, 2) : each
  const weights = Object.fromEntries(Object.entries(it.weights).map(([key, each]) => [key, longer(key, each)]))
  const params = /** @type {any} */ (engine.put(/** @type {any} */ (weights)))
  const saved = join(into, 'model')
  await saveModel(saved, { engine, model: it.model, objective: it.objective, tokenizer }, params)
  const ints = (/** @type {(i: number) => number} */ value) => ({
    shape: [2, LENGTH],
    dtype: 'int32',
    values: Int32Array.from({ length: 2 * LENGTH }, (_, i) => value(i)),
  })
  const ids = (/** @type {number} */ by) => ints((i) => 3 + ((i * i + by * i) % (it.config.vocab_size - 3)))
  const own = { inputIds: ids(7), attentionMask: ints(() => 1), tokenTypeIds: ints(() => 0) }
  const theirs = { decoderInputIds: ids(11), decoderAttentionMask: ints(() => 1) }
  const inputs = name.startsWith('model-bart') ? { ...own, ...theirs } : own
  const weightsOf = { shape: [2, LENGTH], dtype: 'float32', values: new Float32Array(2 * LENGTH).fill(1) }
  const labels = { shape: [2], dtype: 'int32', values: Int32Array.of(0, 1) }
  const logits = engine.compile((/** @type {any} */ all, /** @type {any} */ batch) => logitsOf(it, all, batch).logits)
  const batch = { inputs, targets: ids(5), weights: weightsOf, labels }
  const found = /** @type {any} */ (
    await engine.read(/** @type {any} */ (logits(params, engine.put(/** @type {any} */ (batch)))))
  )
  engine.release(params)
  writeFileSync(join(saved, 'example.json'), JSON.stringify(exampleOf(inputs, found)))
  renameSync(saved, join(into, name))
  return maximum(found.values.map(Math.abs))
}

/** Trains a small decoder from a configuration and saves its logits for a text. @param {string} into */
async function saveRun(into) {
  const directory = join(into, 'run')
  const rows = join(into, 'rows.jsonl')
  const lines = TEXTS.filter(Boolean).map((text) => JSON.stringify({ text }))
  writeFileSync(rows, `${lines.join('\n')}\n`)
  const source = { use: 'jsonl', path: rows }
  await lastValueFrom(
    run(
      /** @type {any} */ ({
        seed: 1,
        directory,
        data: { train: source, validation: source },
        tokenizer: { use: 'wordpiece', vocabularySize: 120 },
        model: { use: 'llama', hiddenSize: 16, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 32 },
        objective: WRITING,
        engine: 'tfjs-cpu',
        training: { epochs: 2, batchSize: 2, learningRate: 0.01 },
      }),
      { searchPaths: search },
    ),
  )
  const { engine, model, tokenizer, params, close } = await loadPretrained(directory, () => ({ use: WRITING }), search)
  const ids = TEXTS.map((text) => Array.from(tokenizer.encode(text).ids))
  const read = /** @type {number[]} */ (ids[0])
  const array = (/** @type {number[]} */ values) => ({
    shape: [1, values.length],
    dtype: /** @type {const} */ ('int32'),
    values: Int32Array.from(values),
  })
  const inputs = {
    inputIds: array(read),
    attentionMask: array(read.map(() => 1)),
    tokenTypeIds: array(read.map(() => 0)),
  }
  const logitsOf = engine.compile((/** @type {any} */ all, /** @type {any} */ given) => {
    const { lastHiddenState } = model.forward(all, given, { training: false })
    return tokenLogits(model, headFor(model, WRITING), all, lastHiddenState)
  })
  const logits = /** @type {any} */ (await engine.read(/** @type {any} */ (logitsOf(params, engine.put(inputs)))))
  await close()
  const example = { ...exampleOf(inputs, logits), texts: TEXTS, ids }
  writeFileSync(join(directory, 'model/example.json'), JSON.stringify(example))
  renameSync(join(directory, 'model'), join(into, 'trained'))
  rmSync(directory, { recursive: true })
  rmSync(rows)
}

const nameOf = (/** @type {string} */ folder) => `${basename(join(folder, '../..'))}-${basename(folder)}`

if (absent !== undefined) it(`saved models are not loaded with transformers: ${absent}`, () => {})
else
  describe('transformers loads saved models with the same logits and ids', () => {
    const into = mkdtempSync(join(tmpdir(), 'attune-saved-'))
    after(() => rmSync(into, { recursive: true }))
    /** @type {Record<string, Verdict>} */
    let verdicts = {}
    /** Maximum logits of long texts, which scale the tolerance. @type {Record<string, number>} */
    const largest = {}
    before(async () => {
      const engine = /** @type {Engine} */ ((await findPlugin(ENGINE, userSpecifier('tfjs-cpu'), search)).plugin())
      await engine.start()
      const tokenizers = await Promise.all(TOKENIZERS.map(trained))
      for (const [i, folder] of goldenCases().entries()) {
        const name = nameOf(folder)
        const tokenizer = /** @type {Tokenizer} */ (tokenizers[i % tokenizers.length])
        await saveCase({ folder, into, name, engine, tokenizer })
        if (i % 8 !== 0) continue
        const several = { name: `${name}-in-several-files`, maximumBytes: SEVERAL_FILES }
        await saveCase({ folder, into, engine, tokenizer, ...several })
        assert.ok(existsSync(join(into, several.name, 'model.safetensors.index.json')))
      }
      for (const folder of goldenCases().filter((each) => LONG.includes(nameOf(each)))) {
        const [tokenizer] = /** @type {[Tokenizer]} */ (tokenizers)
        const name = `${nameOf(folder)}-long`
        largest[name] = await saveLong({ folder, into, name, engine, tokenizer })
      }
      await engine.close()
      await saveRun(into)
      const script = fileURLToPath(new URL('verify_saved.py', import.meta.url))
      const { stdout } = await promisify(execFile)(python, [script, into], { maxBuffer: 2 ** 26 })
      verdicts = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}')
    })

    const names = goldenCases().map(nameOf)
    const several = names.filter((_, i) => i % 8 === 0).map((name) => `${name}-in-several-files`)
    const long = LONG.map((name) => `${name}-long`)
    for (const name of [...names, ...several, ...long, 'trained'])
      it(name, (test) => {
        const { absent: noClass, difference, complaint, ...text } = verdicts[name] ?? { complaint: 'not loaded' }
        if (noClass === true) return test.diagnostic('transformers has no such class')
        if (OTHER_TOKENIZER.includes(name)) test.diagnostic('logits only: transformers ignores its tokenizer.json')
        assert.equal(complaint, undefined)
        const bound = 1e-4 * Math.max(1, largest[name] ?? 1)
        assert.ok(difference !== undefined && difference <= bound, `logits differ by ${difference}`)
        assert.deepEqual(text, {})
      })
  })
