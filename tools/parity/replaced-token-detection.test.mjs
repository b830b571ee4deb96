// @ts-check
/**
 * Replaced token detection (ELECTRA) against transformers' ElectraForMaskedLM and ElectraForPreTraining on the same samples: losses of both
 * parts, logits and gradients, on the compiled and the reference engine. Golden values from tools/golden/replaced_token_detection.py.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ENGINE, MODEL, OBJECTIVE, OPTIMIZER, key, stream, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { NO_CONSTANTS, compileStep, inferenceStep, lossAndGradients } from '@attune/trainer'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import { hostTree, root } from './measure-model.mjs'

/** @import { Engine, Model, Objective } from '@attune/core' */

const search = { folders: [root] }
const path = (/** @type {string} */ name) => join(root, 'tools/parity/golden', `replaced-token-detection${name}`)
const golden = JSON.parse(readFileSync(path('.json'), 'utf8'))
const tensors = (/** @type {string} */ name) => decodeSafetensors(readFileSync(path(name)), name).tensors
const weights = tensors('-weights.safetensors')
const gradients = tensors('-gradients.safetensors')

const electra = (await findPlugin(MODEL, userSpecifier('electra'), search)).plugin
const detection = (await findPlugin(OBJECTIVE, userSpecifier('replaced-token-detection'), search)).plugin
const adamw = (await findPlugin(OPTIMIZER, userSpecifier('adamw'), search)).plugin
const optionsOf = (/** @type {string} */ name) => optionsFromConfig(electra.options, golden.configs[name])
const special = { pad: 0, mask: 1 }
const ids = (/** @type {string} */ text) => text.split(' ').map(Number)
const tokenizer = {
  vocabularySize: 61,
  special,
  token: (/** @type {number} */ id) => `${id}`,
  encode: (/** @type {string} */ text) => ({ ids: ids(text), truncated: false }),
}
/** @type {Model} */
const model = electra(optionsOf('discriminator'))
const objectiveOf = (/** @type {number} */ weight, change = {}) =>
  /** @type {Objective<any, any, any>} */ (
    detection({ weight, generator: { use: electra, ...optionsOf('generator'), ...change } }, { model, tokenizer })
  )
const scalar = (/** @type {number} */ value) => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })
const seed = { shape: [2], dtype: 'int32', values: Int32Array.of(1, 2) }
const hyper = { learningRate: scalar(1e-3), step: scalar(1), steps: scalar(1), seed, scheduled: {} }
const apart = (/** @type {any} */ a, /** @type {any} */ b) =>
  Math.max(...Array.from(a, (/** @type {number} */ x, /** @type {number} */ i) => Math.abs(x - b[i])))

for (const name of ['onnxruntime', 'tfjs-cpu'])
  describe(`replaced token detection on engine ${name} against ${golden.source}`, async () => {
    /** @type {Engine} */
    const engine = (await findPlugin(ENGINE, userSpecifier(name), search)).plugin()
    /** @type {any} */
    let params
    before(async () => {
      await engine.start()
      // The pooler does not contribute to this loss, and transformers' models have none.
      params = { ...engine.compile(() => model.init(/** @type {any} */ ([1, 2])))(), ...engine.put(weights) }
    })
    after(() => engine.close())

    it('has the parameters of both models, and shares the embeddings', () => {
      const own = engine.compile(() => ({ ...model.init(key(1)), ...objectiveOf(50).init(key(2)) }))()
      const shapes = Object.entries(own).flatMap(([each, { shape }]) =>
        each.startsWith('classifier.dense.') ? [] : [[each, shape]],
      )
      const expected = Object.entries(weights).map(([each, { shape }]) => [each, [...shape]])
      assert.deepEqual(Object.fromEntries(shapes), Object.fromEntries(expected))
      engine.release(own)
    })

    it('matches the losses of both parts and their gradients within 1e-5', async () => {
      const evaluate = async (/** @type {number} */ weight) => {
        const components = { model, objective: objectiveOf(weight) }
        const step = engine.compile((/** @type {any} */ trainable, /** @type {any} */ given) =>
          lossAndGradients(components, { trainable, frozen: {}, ...given }),
        )
        const batch = hostTree(golden.batch)
        return /** @type {any} */ (await engine.read(step(params, engine.put(/** @type {any} */ ({ batch, hyper })))))
      }
      const [generator, both] = [await evaluate(0), await evaluate(golden.weight)]
      const modeling = generator.loss.values[0]
      assert.ok(Math.abs(modeling - golden.modeling) < 1e-5, `expected ${golden.modeling}, got ${modeling}`)
      const detected = (both.loss.values[0] - modeling) / golden.weight
      assert.ok(Math.abs(detected - golden.detection) < 1e-5, `expected ${golden.detection}, got ${detected}`)
      for (const [each, { values }] of Object.entries(gradients)) {
        const norm = Math.hypot(.../** @type {any} */ (values))
        const difference = apart(both.grads[each].values, values)
        assert.ok(difference <= 1e-5 * Math.max(1, norm), `gradient of ${each} differs by ${difference} of ${norm}`)
      }
    })

    it('matches the logits of the discriminator on the replaced texts, whose loss is that of training', async () => {
      const objective = objectiveOf(golden.weight)
      const infer = engine.compile((/** @type {any} */ p, /** @type {any} */ batch) =>
        inferenceStep({ model, objective })(p, batch),
      )
      const { replacedIds: inputIds, isReplaced, batch } = golden
      const given = hostTree({ ...batch, isReplaced, inputs: { ...batch.inputs, inputIds } })
      const { head, lossSum, lossWeight } = /** @type {any} */ (await engine.read(infer(params, engine.put(given))))
      assert.ok(apart(head.logits.values, golden.logits.values) < 1e-4)
      const [loss, expected] = [
        lossSum.values[0] / lossWeight.values[0],
        golden.modeling + golden.weight * golden.detection,
      ]
      assert.ok(Math.abs(loss - expected) < 1e-4, `expected ${expected}, got ${loss}`)
    })

    it('trains the same with one batch and with micro-batches, and lowers the loss', async () => {
      const objective = objectiveOf(10)
      const random = stream(key(5))
      const texts = Array.from({ length: 6 }, (_, i) =>
        Array.from({ length: 6 + 3 * i }, (_, at) => 3 + ((7 * i + 5 * at + Math.floor(2 * random())) % 50)).join(' '),
      )
      const items = texts.map((text) => objective.encode({ text }))
      const evaluated = async (/** @type {any} */ trained) => {
        const batch = engine.put(/** @type {any} */ (objective.collate(items)))
        const program = engine.compile(inferenceStep({ model, objective }))
        const read = /** @type {any} */ (await engine.read(program(trained, /** @type {any} */ (batch))))
        return read.lossSum.values[0] / read.lossWeight.values[0]
      }
      const train = async (/** @type {number} */ microBatchSize) => {
        const optimizer = adamw({ weightDecay: 0 })
        const start = engine.compile(() => ({ ...model.init(key(1)), ...objective.init(key(2)) }))()
        const before = await evaluated(start)
        const step = compileStep(engine, { model, objective, optimizer })
        let state = /** @type {any} */ ({ trainable: start, optimizer: engine.compile(() => optimizer.init(start))() })
        const losses = []
        for (let i = 1; i <= 40; i++) {
          const random = stream(key(i)) // in the order of the texts, as the loop's
          const parts = []
          for (let at = 0; at < items.length; at += microBatchSize)
            parts.push(objective.collate(items.slice(at, at + microBatchSize), random))
          const inputs = { learningRate: 1e-2, step: i, steps: 40, seed: key(i) }
          const result = step.run(state, { frozen: {}, constants: NO_CONSTANTS }, parts, inputs)
          state = result.state
          losses.push(/** @type {any} */ (await engine.read(result.loss)).values[0])
        }
        step.dispose()
        return { losses, before, after: await evaluated(state.trainable) }
      }
      const [whole, split] = [await train(6), await train(2)]
      for (const i of [0, 1, 2]) {
        const difference = Math.abs(whole.losses[i] / split.losses[i] - 1)
        assert.ok(difference < 1e-4, `step ${i + 1}: ${whole.losses[i]} with one batch, ${split.losses[i]} with three`)
      }
      assert.ok(whole.after < 0.8 * whole.before, `expected a lower loss than ${whole.before}, got ${whole.after}`)
    })
  })
