// @ts-check
/**
 * One training step of preference optimization, KTO and reward modeling on a tiny GPT-2 equals that of trl's trainers: the loss, and of each
 * gradient the norm and its projection on a fixed direction (tools/golden/preferences.py).
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ENGINE, OBJECTIVE, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { inference, trainingStep } from '@attune/trainer'
import { neg } from '@tensorflow/tfjs-core'
import { readCase, root } from './measure-model.mjs'

/** @import { Engine, HostArray, Objective, Params } from '@attune/core' */

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/preferences.json'), 'utf8'))
const search = { folders: [root] }
/** @type {Engine} */
const engine = (await findPlugin(ENGINE, userSpecifier('onnxruntime'), search)).plugin()
before(() => engine.start())
after(() => engine.close())

/** An "optimizer" whose updates are the negative gradients. @type {any} */
const gradients = {
  init: () => ({}),
  update: (/** @type {Params} */ grads) => ({
    updates: Object.fromEntries(Object.entries(grads).map(([name, grad]) => [name, neg(grad)])),
    state: {},
  }),
}

/** @param {readonly number[]} prompt @param {readonly number[]} completion */
const joined = (prompt, completion) => {
  const ids = [...prompt, ...completion]
  return { ids, trained: ids.map((_, i) => Number(i >= prompt.length)), length: ids.length, truncated: false }
}

/** Items of the golden pairs, as each objective encodes them. @type {Record<string, (options: any) => readonly any[]>} */
const itemsOf = {
  preferences: () =>
    golden.pairs.map((/** @type {number[][]} */ [prompt = [], chosen = [], rejected = []]) => ({
      ...joined(prompt, chosen),
      rejected: joined(prompt, rejected),
    })),
  kto: () =>
    [1, 2].flatMap((at) =>
      golden.pairs.map((/** @type {number[][]} */ pair) => {
        const [prompt, completion] = /** @type {[number[], number[]]} */ ([pair[0], pair[at]])
        return { ...joined(prompt, completion), prompt, completion, sign: at === 1 ? 1 : -1 }
      }),
    ),
  'reward-modeling': (options) =>
    golden.pairs.map(
      (/** @type {number[][]} */ [prompt = [], chosen = [], rejected = []], /** @type {number} */ i) => ({
        ...joined(prompt, chosen),
        rejected: [...prompt, ...rejected],
        margin: options.margin === undefined ? 0 : [0.5, 0, 1.5][i],
      }),
    ),
}

/** @param {Record<string, HostArray>} weights @param {number} factor */
const scaled = (weights, factor) =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { values, ...rest }]) => [
      name,
      { ...rest, values: Float32Array.from(values, (value) => factor * value) },
    ]),
  )

/** Model, objective, weights and batch of a golden step. @param {any} step */
async function read({ objective: name, options }) {
  const { model, config, weights } = await readCase(join(root, 'plugins/model-gpt2/golden/lm'))
  const plugin = (await findPlugin(OBJECTIVE, userSpecifier(name), search)).plugin
  const tokenizer = /** @type {any} */ ({ vocabularySize: config.vocab_size, special: { pad: 0 }, token: () => '' })
  /** @type {Objective} */
  const objective = plugin(options, { model, tokenizer })
  const size = /** @type {HostArray} */ (weights['transformer.ln_f.weight']).shape[0] ?? 0
  const score = Float32Array.from({ length: size }, (_, i) => Math.sin(i) / 4)
  /** @type {Record<string, HostArray>} */
  const head =
    name === 'reward-modeling' ? { 'score.weight': { shape: [1, size], dtype: 'float32', values: score } } : {}
  const items = /** @type {any} */ (itemsOf[name])(options)
  return { model, objective, weights: { .../** @type {any} */ (weights), ...head }, items }
}

/** @param {any} model @param {Objective} objective @param {readonly string[]} names */
const referenceOf = (model, objective, names) => ({
  model,
  objective,
  params: (/** @type {Params} */ shared, /** @type {Params} */ own) =>
    Object.fromEntries(names.map((name) => [name, own[name] ?? /** @type {any} */ (shared[name])])),
})

const scalar = (/** @type {number} */ value) => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })

/** Loss and gradients of a step. @param {any} golden */
async function takeStep(golden) {
  const { model, objective, weights, items } = await read(golden)
  const models = { reference: referenceOf(model, objective, Object.keys(weights)) }
  const step = engine.compile(trainingStep({ model, objective, optimizer: gradients, models }), { donate: [] })
  const seed = { shape: [2], dtype: 'int32', values: Int32Array.of(1, 7) }
  /** @type {any} */
  const given = engine.put(
    /** @type {any} */ ({
      trainable: weights,
      own: scaled(weights, 0.8),
      batch: objective.collate(items),
      inputs: { learningRate: scalar(1), step: scalar(1), steps: scalar(1), seed, scheduled: {} },
    }),
  )
  const constants = { models: { reference: given.own }, regularizers: {}, masks: {} }
  const { loss, state } = step({ trainable: given.trainable, optimizer: {} }, {}, given.batch, given.inputs, constants)
  /** @type {any} */
  const found = await engine.read({ loss, trainable: state.trainable })
  step.dispose()
  const forward = inference(engine, model, objective, {
    batchSize: items.length,
    ...(objective.needsReference === true ? { reference: { auxiliary: models.reference, own: given.own } } : {}),
  })
  const sums = { sum: 0, weight: 0 }
  async function* rows() {
    yield* items
  }
  const inferred = forward.run(given.trainable, rows(), sums)[Symbol.asyncIterator]()
  while ((await inferred.next()).done !== true) continue
  forward.dispose()
  engine.release(given)
  const grads = Object.entries(weights).map(([name, { values }]) => {
    const after = found.trainable[name].values
    return [
      name,
      Float64Array.from(values, (/** @type {number} */ before, /** @type {number} */ i) => before - after[i]),
    ]
  })
  return { loss: found.loss.values[0], evaluated: sums.sum / sums.weight, gradients: Object.fromEntries(grads) }
}

/** Norm of a gradient, and its projection on a fixed direction. @param {Float64Array} gradient */
const probe = (gradient) => [Math.hypot(...gradient), gradient.reduce((sum, value, i) => sum + value * Math.sin(i), 0)]

describe(`one step equals ${golden.source}`, () => {
  for (const step of golden.steps)
    it(`${step.objective} ${JSON.stringify(step.options)}`, async () => {
      const { loss, evaluated, gradients } = await takeStep(step)
      const near = (/** @type {number} */ a, /** @type {number} */ b) => Math.abs(a - b) / Math.max(1, Math.abs(b))
      assert.ok(near(loss, step.loss) <= 1e-5, `expected the loss ${step.loss}, got ${loss}`)
      // The likelihood term of an evaluation is a mean over pairs, so it differs where their lengths do.
      if (!['cpo', 'orpo'].includes(step.options.loss) && step.options.likelihoodWeight === undefined)
        assert.ok(near(evaluated, step.loss) <= 1e-5, `expected the evaluated loss ${step.loss}, got ${evaluated}`)
      for (const [name, expected] of Object.entries(step.gradients)) {
        const found = probe(gradients[name])
        // Gradients are read as differences of float32 weights, so their error is relative to the norm.
        for (const at of [0, 1])
          assert.ok(
            Math.abs(/** @type {any} */ (found[at]) - expected[at]) <= 1e-5 * Math.max(1, expected[0]),
            `${name}: expected ${expected}, got ${found}`,
          )
      }
    })
})
