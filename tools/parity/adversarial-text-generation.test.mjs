// @ts-check
/**
 * Adversarial text generation against transformers' GPT-2 and BERT on expected embeddings: generated tokens, losses and gradients of both
 * turns for each relaxation, on the compiled and the reference engine; and a small problem, on which the generator learns from the
 * discriminator alone. Golden values from tools/golden/adversarial_text_generation.py.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ENGINE, MODEL, OBJECTIVE, OPTIMIZER, deriveKey, key, userSpecifier } from '@attune/core'
import { generator } from '@attune/generate'
import { gradients as gradientsOf, reduceLosses, withHook } from '@attune/nn'
import { findPlugin } from '@attune/resolve'
import { NO_CONSTANTS, compileStep, lossAndGradients } from '@attune/trainer'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import { div } from '@tensorflow/tfjs-core'
import { lastValueFrom, toArray } from 'rxjs'
import { hostTree, root } from './measure-model.mjs'

/** @import { Engine, Model, Objective } from '@attune/core' */

const search = { folders: [root] }
const path = (/** @type {string} */ name) => join(root, 'tools/parity/golden', `adversarial-text-generation${name}`)
const golden = JSON.parse(readFileSync(path('.json'), 'utf8'))
const tensors = (/** @type {string} */ name) => decodeSafetensors(readFileSync(path(name)), name).tensors
const weights = tensors('-weights.safetensors')
const expectedGradients = tensors('-gradients.safetensors')

const plugin = async (/** @type {any} */ kind, /** @type {string} */ name) =>
  /** @type {any} */ ((await findPlugin(kind, userSpecifier(name), search)).plugin)
const [gpt2, bert] = [await plugin(MODEL, 'gpt2'), await plugin(MODEL, 'bert')]
const adversarial = await plugin(OBJECTIVE, 'adversarial-text-generation')
const [alternating, adam] = [await plugin(OPTIMIZER, 'alternating'), await plugin(OPTIMIZER, 'adam')]

const LETTERS = ['[pad]', '[begin]', '[end]', ...'abcdefgh']
const tokenizer = {
  vocabularySize: LETTERS.length,
  special: { pad: 0, begin: 1, end: 2 },
  token: (/** @type {number} */ id) => LETTERS[id],
  encode: (/** @type {string} */ text) => ({
    ids: [1, ...Array.from(text, (letter) => LETTERS.indexOf(letter)), 2],
    truncated: false,
  }),
  decode: (/** @type {readonly number[]} */ ids) => ids.map((id) => LETTERS[id]).join(''),
}
const scalar = (/** @type {number} */ value) => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })
const apart = (/** @type {any} */ a, /** @type {any} */ b) =>
  Math.max(...Array.from(a, (/** @type {number} */ x, /** @type {number} */ i) => Math.abs(x - b[i])))

/** Model and objective of the golden file. @param {object} change options of the objective */
function goldenParts(change) {
  const model = /** @type {Model} */ (gpt2(optionsFromConfig(gpt2.options, golden.configs.generator)))
  const discriminator = { use: bert, ...optionsFromConfig(bert.options, golden.configs.discriminator) }
  const options = { discriminator, weight: golden.weight, promptLength: golden.promptLength, ...change }
  return {
    model,
    objective: /** @type {Objective<any, any, any>} */ (
      adversarial(options, { model, tokenizer: { ...tokenizer, special: { ...tokenizer.special, end: golden.end } } })
    ),
  }
}

/** The mean of one of the losses, and its gradients. @param {ReturnType<typeof goldenParts>} parts @param {string} name */
const partOf =
  ({ model, objective }, name) =>
  (/** @type {any} */ params, /** @type {any} */ { batch, hyper }) => {
    const mode = /** @type {any} */ ({ training: true, key: { seed: hyper.seed, stream: 0 } })
    return gradientsOf(() => {
      const forward = (/** @type {any} */ inputs, /** @type {any} */ change = {}) =>
        model.forward(withHook(params, change.hook), inputs, change.mode ?? mode)
      const context = /** @type {any} */ ({ mode, hyper, models: {}, params, forward })
      const losses = /** @type {any} */ (objective.trainingLoss?.(context, batch))
      const { sum, weight } = reduceLosses(losses[name], batch)
      return div(sum, weight)
    }, params)
  }

const largest = (/** @type {Record<string, any>} */ grads, /** @type {boolean} */ ofDiscriminator) =>
  Math.max(
    ...Object.entries(grads).flatMap(([name, { values }]) =>
      name.startsWith('discriminator.') === ofDiscriminator ? Array.from(values, Math.abs) : [],
    ),
  )

for (const name of ['onnxruntime', 'tfjs-cpu'])
  describe(`adversarial text generation on engine ${name} against ${golden.source}`, async () => {
    /** @type {Engine} */
    const engine = (await plugin(ENGINE, name))()
    before(() => engine.start())
    after(() => engine.close())
    const seed = { shape: [2], dtype: 'int32', values: Int32Array.from(golden.seed) }
    const hyper = { learningRate: scalar(1e-3), step: scalar(1), steps: scalar(1), seed, scheduled: {} }
    const put = () => /** @type {any} */ (engine.put(/** @type {any} */ ({ batch: hostTree(golden.batch), hyper })))

    it('has the parameters of both networks', () => {
      const { model, objective } = goldenParts({})
      const own = engine.compile(() => ({ ...model.init(key(1)), ...objective.init(key(2)) }))()
      const shapes = Object.fromEntries(Object.entries(own).map(([each, { shape }]) => [each, [...shape]]))
      assert.deepEqual(
        shapes,
        Object.fromEntries(Object.entries(weights).map(([each, { shape }]) => [each, [...shape]])),
      )
      engine.release(own)
    })

    for (const { relaxation, temperature, ...expected } of golden.cases)
      it(`matches the losses of both turns and their gradients within 1e-5: ${relaxation}`, async () => {
        const parts = goldenParts({ relaxation, temperature })
        const params = /** @type {any} */ (engine.put(weights))
        const step = engine.compile((/** @type {any} */ trainable, /** @type {any} */ given) =>
          lossAndGradients(parts, { trainable, frozen: {}, ...given }),
        )
        const { loss, grads } = /** @type {any} */ (await engine.read(step(params, put())))
        const total = expected.generator + expected.discriminator + golden.weight * expected.modeling
        assert.ok(Math.abs(loss.values[0] - total) < 1e-5, `expected ${total}, got ${loss.values[0]}`)
        for (const [each, { values }] of Object.entries(expectedGradients)) {
          if (!each.startsWith(`${relaxation}/`)) continue
          const own = each.slice(relaxation.length + 1)
          const [norm, difference] = [Math.hypot(.../** @type {any} */ (values)), apart(grads[own].values, values)]
          assert.ok(difference <= 1e-5 * Math.max(1, norm), `gradient of ${own} differs by ${difference} of ${norm}`)
        }
        const losses = /** @type {Record<string, number>} */ ({})
        for (const turn of ['generator', 'discriminator']) {
          const found = /** @type {any} */ (await engine.read(engine.compile(partOf(parts, turn))(params, put())))
          losses[turn] = found.value.values[0]
          const [own, other] = [
            largest(found.grads, turn === 'discriminator'),
            largest(found.grads, turn === 'generator'),
          ]
          assert.ok(own > 1e-3 && other === 0, `turn of the ${turn}: gradients up to ${own}, of the other one ${other}`)
          assert.ok(
            Math.abs(Number(losses[turn]) - expected[turn]) < 1e-5,
            `${turn}: expected ${expected[turn]}, got ${losses[turn]}`,
          )
        }
      })
  })

describe('adversarial text generation of a repeated pattern', () => {
  const TEXT = 'abab'
  const STEPS = 250
  const none = { residPdrop: 0, embdPdrop: 0, attnPdrop: 0 }
  const vocabSize = LETTERS.length
  const model = gpt2({ vocabSize, nEmbd: 32, nLayer: 1, nHead: 2, nPositions: 16, initializerRange: 0.2, ...none })
  const shape = { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 64 }
  const noise = { hiddenDropoutProb: 0.2, attentionProbsDropoutProb: 0.2, initializerRange: 0.4 }
  const options = { discriminator: { use: bert, ...shape, ...noise }, weight: 0 }
  const objective = adversarial(options, { model, tokenizer })
  const optimizer = alternating({ optimizer: { use: adam, beta1: 0.5 }, part: 'discriminator.*' })

  /** Fraction of 200 sampled texts that begin with the pattern. @param {Engine} engine @param {any} params */
  async function validFraction(engine, params) {
    const writer = generator(/** @type {any} */ ({ engine, model, params, tokenizer }))
    const prompts = Array.from({ length: 200 }, () => [tokenizer.special.begin])
    const events = writer.generate(prompts, { maximumNewTokens: TEXT.length, temperature: 1, seed: 3 })
    const all = await lastValueFrom(events.pipe(toArray()))
    writer.close()
    return all.filter((each) => each.type === 'finished' && tokenizer.decode(each.ids) === TEXT).length / prompts.length
  }

  it('raises the fraction of valid samples from the discriminator alone', async () => {
    /** @type {Engine} */
    const engine = (await plugin(ENGINE, 'onnxruntime'))()
    await engine.start()
    const start = engine.compile(() => ({ ...model.init(key(1)), ...objective.init(key(2)) }))()
    const before = await validFraction(engine, start)
    const step = compileStep(engine, { model, objective, optimizer })
    let state = /** @type {any} */ ({ trainable: start, optimizer: engine.compile(() => optimizer.init(start))() })
    const items = Array.from({ length: 32 }, () => objective.encode({ text: TEXT }))
    for (let i = 1; i <= STEPS; i++) {
      const inputs = { learningRate: 3e-3, step: i, steps: STEPS, seed: deriveKey(key(4), i) }
      state = step.run(state, { frozen: {}, constants: NO_CONSTANTS }, [objective.collate(items)], inputs).state
    }
    const found = await validFraction(engine, state.trainable)
    step.dispose()
    await engine.close()
    // Both networks train against each other, so that rounding alone changes the fraction.
    assert.ok(before < 0.05 && found > 0.3, `valid samples: ${before} before training, ${found} after it`)
  })
})
