// @ts-check
/**
 * BERT with masked language modeling against transformers: logits at the masked positions, loss and gradients, on the compiled and the
 * reference engine. Golden values from tools/golden/bert_mlm.py.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ENGINE, MODEL, OBJECTIVE, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { headFor, maskedLogits, hiddenStatesAt } from '@attune/nn'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import { lossAndGradients, textScorer } from '@attune/trainer'

/** @import { Engine, HostArray, Model, Objective } from '@attune/core' */

const root = fileURLToPath(new URL('../..', import.meta.url))
const search = { folders: [root] }
const read = (/** @type {string} */ path) => readFileSync(`${root}/tools/parity/golden/${path}`)
const golden = JSON.parse(read('bert-mlm.json').toString())
const weights = decodeSafetensors(read('tiny-bert-mlm/model.safetensors'), 'weights').tensors
const config = JSON.parse(read('tiny-bert-mlm/config.json').toString())
const bert = (await findPlugin(MODEL, userSpecifier('bert'), search)).plugin
/** @type {Model} */
const model = bert(optionsFromConfig(bert.options, config))
const tokenizer = { vocabularySize: config.vocab_size, special: { pad: 0, mask: 4 }, token: () => '' }
/** @type {Objective<any, any, any>} */
const objective = (await findPlugin(OBJECTIVE, userSpecifier('masked-language-modeling'), search)).plugin(
  {},
  { model, tokenizer },
)

const rows = golden.ids.length
/** @type {number[][]} */
const positions = golden.places
const width = Math.max(...positions.map((row) => row.length))
const padded = (/** @type {number[][]} */ lists) =>
  lists.flatMap((row) => Array.from({ length: width }, (_, i) => row[i] ?? 0))
const int = (/** @type {number[]} */ numbers, /** @type {number[]} */ shape) =>
  /** @type {HostArray} */ ({ shape, dtype: 'int32', values: Int32Array.from(numbers) })
const length = golden.ids[0].length
const mask = golden.lengths.flatMap((/** @type {number} */ n) => Array.from({ length }, (_, i) => Number(i < n)))
const batch = {
  inputs: {
    inputIds: int(golden.ids.flat(), [rows, length]),
    attentionMask: int(mask, [rows, length]),
    tokenTypeIds: int(new Array(rows * length).fill(0), [rows, length]),
  },
  positions: int(padded(positions), [rows, width]),
  targets: int(padded(golden.targets), [rows, width]),
  weights: /** @type {HostArray} */ ({
    shape: [rows, width],
    dtype: 'float32',
    values: Float32Array.from(padded(positions.map((row) => row.map(() => 1)))),
  }),
}

for (const name of ['onnxruntime', 'tfjs-cpu'])
  describe(`tiny BERT with masked language modeling on engine ${name} against ${golden.source}`, async () => {
    /** @type {Engine} */
    const engine = (await findPlugin(ENGINE, userSpecifier(name), search)).plugin()
    /** @type {any} */
    let params
    before(async () => {
      await engine.start()
      // The pooler does not contribute to this loss, and transformers' model has none.
      const fresh = engine.compile(() => model.init(/** @type {any} */ ([1, 2])))()
      params = { .../** @type {any} */ (fresh), ...engine.put(weights) }
    })
    after(() => engine.close())

    it('matches the pseudo-log-likelihoods within 1e-5, in any batches', async () => {
      const texts = golden.pseudoLogLikelihoods.map((/** @type {any} */ { ids }) => ({ text: ids.join(' ') }))
      const encode = (/** @type {string} */ text) => {
        const ids = text.split(' ').map(Number)
        const specialMask = ids.map((_, i) => Number(i === 0 || i === ids.length - 1))
        return { ids, typeIds: ids.map(() => 0), truncated: false, specialMask, offsets: [] }
      }
      const task = 'masked-language-modeling'
      const masked = /** @type {any} */ ({ model, params, objective, task, tokenizer: { ...tokenizer, encode } })
      for (const batchSize of [4, 32]) {
        const live = engine.live()
        const scorer = textScorer(engine, masked, { batchSize })
        const found = await scorer.score(texts)
        scorer.dispose()
        assert.equal(engine.live(), live)
        for (const [i, { scores }] of golden.pseudoLogLikelihoods.entries()) {
          const sum = scores.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b)
          assert.ok(Math.abs((found[i]?.logLikelihood ?? NaN) - sum) < 1e-4)
          const differences = found[i]?.tokens.map(({ logProbability }, at) => Math.abs(logProbability - scores[at]))
          assert.ok(Math.max(...(differences ?? [NaN])) < 1e-5, `${differences}`)
          assert.equal(differences?.length, scores.length)
        }
      }
    })

    it('matches the logits within 1e-5', async () => {
      const infer = engine.compile((/** @type {any} */ params, /** @type {any} */ given) => {
        const { lastHiddenState } = model.forward(params, given.inputs, { training: false })
        const head = headFor(model, 'masked-language-modeling')
        return maskedLogits(model, head, params, hiddenStatesAt(lastHiddenState, given.positions))
      })
      const { values } = /** @type {any} */ (await engine.read(/** @type {any} */ (infer(params, engine.put(batch)))))
      for (const [row, lists] of golden.logits.entries())
        for (const [at, logits] of lists.entries())
          for (const [i, logit] of logits.entries()) {
            const found = values[(row * width + at) * config.vocab_size + i]
            assert.ok(
              Math.abs(found - logit) < 1e-5 * Math.max(1, Math.abs(logit)),
              `${row} ${at} ${i}: ${found}, ${logit}`,
            )
          }
    })

    it('matches the loss within 1e-5 and the gradients within 1e-4', async () => {
      const step = engine.compile((/** @type {any} */ params, /** @type {any} */ given, /** @type {any} */ seed) =>
        lossAndGradients(
          { model, objective },
          { trainable: params, frozen: {}, batch: given, hyper: /** @type {any} */ ({ seed, scheduled: {} }) },
        ),
      )
      // The parameters of the pooler have no gradient; transformers' model has none.
      const fresh = engine.compile(() => model.init(/** @type {any} */ ([1, 2])))()
      const whole = { ...fresh, ...engine.put(weights) }
      const computed = /** @type {any} */ (step(whole, engine.put(batch), engine.put(int([0, 0], [2]))))
      const result = /** @type {any} */ (await engine.read(computed))
      assert.ok(Math.abs(result.loss.values[0] - golden.loss) < 1e-5 * golden.loss)
      const wanted = decodeSafetensors(read('bert-mlm-gradients.safetensors'), 'gradients').tensors
      for (const [parameter, { values }] of Object.entries(wanted)) {
        const norm = Math.hypot(...Array.from(values))
        const apart = Math.hypot(...Array.from(values, (x, i) => x - result.grads[parameter].values[i]))
        assert.ok(
          apart <= 1e-4 * norm + 1e-6,
          `${parameter}: expected a difference below 1e-4 of the norm ${norm}, got ${apart}`,
        )
      }
    })
  })
