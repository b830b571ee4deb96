// @ts-check
/**
 * Sequence packing: texts packed into shared rows have the same loss, weight, gradients and predictions as with one row per text, for each
 * architecture and on the compiled and the reference engine. A packed run that was interrupted ends with the same weights as an
 * uninterrupted one.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ENGINE, MODEL, OBJECTIVE, key, stream, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { reduceLosses } from '@attune/nn'
import { lossAndGradients, stepInputs } from '@attune/trainer'
import { resume, run } from '@attune/trainer/node'
import { Subject, lastValueFrom, tap } from 'rxjs'

/** @import { Engine, HostArray, Model, Objective } from '@attune/core' */

const root = fileURLToPath(new URL('../..', import.meta.url))
const search = { folders: [root] }
const VOCABULARY = 40
const LETTERS = 'abcdefghijklmnopqrstuvwxyz '

/** Stub tokenizer with one token per letter, plus begin and end tokens. @type {any} */
const tokenizer = {
  vocabularySize: VOCABULARY,
  special: { pad: 0, unknown: 1, begin: 2, end: 3, mask: 4 },
  token: (/** @type {number} */ id) => LETTERS[id - 5] ?? '',
  encode: (/** @type {string} */ text, { maximumLength = Infinity } = {}) => {
    const ids = [2, ...[...text].map((letter) => LETTERS.indexOf(letter) + 5)].slice(0, maximumLength - 1)
    return { ids: [...ids, 3], truncated: ids.length < text.length + 1 }
  },
}
const TEXTS = ['a short one', 'the quick brown fox', 'jumps', 'x', 'a longer text than any', 'seven', 'lazy dogs']

const none = { hiddenDropoutProb: 0, attentionProbsDropoutProb: 0 }
const small = { vocabSize: VOCABULARY, hiddenSize: 16, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 24 }
const CAUSAL = 'causal-language-modeling'
const MASKED = 'masked-language-modeling'

/** @type {[plugin: string, objective: string, options: Record<string, unknown>][]} */
const CASES = [
  [
    'gpt2',
    CAUSAL,
    {
      vocabSize: VOCABULARY,
      nEmbd: 16,
      nLayer: 2,
      nHead: 2,
      nPositions: 64,
      residPdrop: 0,
      embdPdrop: 0,
      attnPdrop: 0,
    },
  ],
  ['llama', CAUSAL, { ...small, maxPositionEmbeddings: 64 }],
  ['bert', MASKED, { ...small, ...none, maxPositionEmbeddings: 64 }],
  ['roberta', MASKED, { ...small, ...none, maxPositionEmbeddings: 70 }],
  ['modernbert', MASKED, { ...small, maxPositionEmbeddings: 64 }],
]

/** Maximum difference, relative for values above 1. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function difference(a, b) {
  assert.equal(a.length, b.length)
  let most = 0
  for (let i = 0; i < a.length; i++)
    most = Math.max(most, Math.abs(Number(a[i]) - Number(b[i])) / Math.max(1, Math.abs(Number(b[i]))))
  return most
}

/**
 * Loss and gradients in training mode, and weight and predictions in evaluation mode, of an objective on the texts.
 * @param {Engine} engine @param {string} plugin @param {string} name @param {object} options @param {object} how
 */
async function measured(engine, plugin, name, options, how) {
  /** @type {Model} */
  const model = (await findPlugin(MODEL, userSpecifier(plugin), search)).plugin(options)
  const make = (await findPlugin(OBJECTIVE, userSpecifier(name), search)).plugin
  /** @type {Objective<any, any, any>} */
  const objective = make({ padToMultipleOf: 4, ...how }, { model, tokenizer })
  const items = TEXTS.map((text) => objective.encode({ text }))
  const params = engine.compile(() => ({ ...model.init(key(1)), ...objective.init(key(2)) }))()
  const batch = objective.collate(items, stream(key(3)))
  assert.deepEqual(objective.collate(items, stream(key(3))), batch)
  const inputs = stepInputs({ learningRate: 0, step: 1, steps: 1, seed: [1, 2] })
  const learn = engine.compile(
    (/** @type {any} */ p, /** @type {any} */ b, /** @type {any} */ h) =>
      /** @type {any} */ (lossAndGradients({ model, objective }, { trainable: p, frozen: {}, batch: b, hyper: h })),
  )
  const { loss, grads } = /** @type {any} */ (
    await engine.read(/** @type {any} */ (learn(params, engine.put(batch), engine.put(inputs))))
  )
  const infer = engine.compile((/** @type {any} */ p, /** @type {any} */ b) => {
    const mode = /** @type {const} */ ({ training: false })
    const head = objective.head(p, model.forward(p, b.inputs, mode), mode, b)
    return /** @type {any} */ ({ head, ...reduceLosses(objective.loss(head, b), b) })
  })
  const plain = objective.collate(items)
  const { head, weight } = /** @type {any} */ (await engine.read(infer(params, engine.put(plain))))
  const shape = /** @type {HostArray} */ (batch.inputs.inputIds).shape
  return { shape, loss, grads, weight, predictions: objective.predict(head, items) }
}

for (const name of ['tfjs-cpu', 'onnxruntime'])
  describe(`sequence packing on engine ${name}`, async () => {
    /** @type {Engine} */
    const engine = (await findPlugin(ENGINE, userSpecifier(name), search)).plugin()
    before(() => engine.start())
    after(() => engine.close())
    for (const [plugin, objective, options] of CASES)
      it(`${plugin}: loss, gradients and predictions of ${objective} match those of unpacked rows`, async () => {
        const alone = await measured(engine, plugin, objective, options, {})
        for (const packTo of [24, 48]) {
          const packed = await measured(engine, plugin, objective, options, { packTo })
          assert.equal(alone.shape[0], TEXTS.length)
          assert.ok(Number(packed.shape[0]) < TEXTS.length - 1, `${packed.shape[0]} rows`)
          assert.equal(packed.weight.values[0], alone.weight.values[0])
          assert.ok(difference(packed.loss.values, alone.loss.values) < 1e-5)
          assert.deepEqual(Object.keys(packed.grads), Object.keys(alone.grads))
          for (const [parameter, { values }] of Object.entries(packed.grads))
            assert.ok(difference(values, alone.grads[parameter].values) < 2e-5, parameter)
          assert.deepEqual(packed.predictions, alone.predictions)
        }
      })
  })

describe('packing', () => {
  const refused = async (
    /** @type {string} */ plugin,
    /** @type {object} */ options,
    /** @type {string} */ objective,
  ) =>
    (await findPlugin(OBJECTIVE, userSpecifier(objective), search)).plugin(
      { packTo: 32 },
      { model: (await findPlugin(MODEL, userSpecifier(plugin), search)).plugin(options), tokenizer },
    )
  it('rejects architectures that would mix packed texts, and rows longer than the model allows', async () => {
    const two = { vocabSize: VOCABULARY }
    for (const [plugin, options] of /** @type {[string, object][]} */ ([
      ['lstm', { ...two, architecture: 'decoder' }],
      ['bart', two],
      ['t5', two],
      ['transformer', two],
      ['hierarchical-attention', two],
    ]))
      for (const objective of [CAUSAL, MASKED])
        await assert.rejects(refused(plugin, options, objective), { code: 'CANNOT_PACK' }, plugin)
    for (const objective of [CAUSAL, MASKED])
      await assert.rejects(refused('bert', { ...small, maxPositionEmbeddings: 16 }, objective), { code: 'BAD_OPTIONS' })
  })

  it('resumes an interrupted run to the same weights as an uninterrupted one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-packing-'))
    const rows = TEXTS.flatMap((text) => [{ text }, { text: `${text} again` }, { text: `not ${text}` }])
    writeFileSync(join(folder, 'texts.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const source = { use: 'jsonl', path: join(folder, 'texts.jsonl') }
    const config = (/** @type {string} */ directory) => ({
      seed: 4,
      directory: join(folder, directory),
      data: { train: source, validation: source },
      tokenizer: { use: 'word' },
      model: { use: 'gpt2', nEmbd: 16, nLayer: 1, nHead: 2, nPositions: 32 },
      objective: { use: CAUSAL, packTo: 32 },
      engine: 'tfjs-cpu',
      training: { epochs: 2, batchSize: 8, microBatchSize: 4, learningRate: 0.01 },
    })
    const options = { searchPaths: { folders: [root] } }
    const weights = (/** @type {string} */ directory) =>
      readFileSync(join(folder, directory, 'model/model.safetensors'))
    await lastValueFrom(run(config('whole'), options))
    /** @type {Subject<any>} */
    const commands = new Subject()
    const events = run(config('parts'), { ...options, commands })
    const stop = (/** @type {import('@attune/core').RunEvent} */ event) => {
      if (event.type === 'step.completed' && event.step === 2) commands.next({ type: 'stop', because: 'a test' })
    }
    const last = await lastValueFrom(events.pipe(tap(stop)))
    assert.equal(last.type === 'run.completed' && last.step, 2)
    await lastValueFrom(resume(join(folder, 'parts'), options))
    assert.deepEqual(weights('parts'), weights('whole'))
    rmSync(folder, { recursive: true })
  })
})
