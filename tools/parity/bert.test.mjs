// @ts-check
/**
 * BERT with a classification head against transformers: logits, losses, gradients, and the weights after six steps of AdamW with a linear
 * schedule, on every installed engine. Golden values from tools/golden/bert.py. Run it from the root with `node --test tools/parity`.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ADAPTER, ENGINE, MODEL, OBJECTIVE, OPTIMIZER, SCHEDULER, userSpecifier } from '@attune/core'
import { findPlugin, installedPlugins } from '@attune/resolve'
import { reduceLosses } from '@attune/nn'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import { add, div, valueAndGrads } from '@tensorflow/tfjs-core'

/** @import { Engine, HostArray, Model, Objective, Optimizer, Params } from '@attune/core' */

const root = fileURLToPath(new URL('../..', import.meta.url))
const search = { folders: [root] }
const read = (/** @type {string} */ path) => readFileSync(`${root}/${path}`)
const golden = JSON.parse(read('tools/parity/golden/tiny-bert.json').toString())
const weightsOf = (/** @type {string} */ path) => decodeSafetensors(read(path), path).tensors

const config = JSON.parse(read('plugins/model-bert/golden/tiny-bert/config.json').toString())
const bert = (await findPlugin(MODEL, userSpecifier('bert'), search)).plugin
/** @type {Model} */
const model = bert(optionsFromConfig(bert.options, config))
const tokenizer = { vocabularySize: config.vocab_size, special: { pad: config.pad_token_id } }
/** @type {Objective<any, any, any>} */
const objective = (await findPlugin(OBJECTIVE, userSpecifier('sequence-classification'), search)).plugin(
  { labels: Object.values(config.id2label) },
  { model, tokenizer },
)

/** The unpadded examples of a batch in the golden file. */
function itemsOf(/** @type {any} */ { inputs, labels }) {
  const [rows, width] = inputs.inputIds.shape
  return Array.from({ length: rows }, (_, row) => {
    const part = (/** @type {{ values: number[] }} */ { values }) => values.slice(row * width, (row + 1) * width)
    const length = part(inputs.attentionMask).reduce((sum, n) => sum + n, 0)
    const [ids, typeIds] = [inputs.inputIds, inputs.tokenTypeIds].map((array) => part(array).slice(0, length))
    return { ids, typeIds, length, truncated: false, label: labels.values[row] }
  })
}

/** True for gradients that are zero up to rounding: a bias of the keys adds the same value to all scores of a softmax. */
const isKeyBias = (/** @type {string} */ name) => name.endsWith('attention.self.key.bias')
const norm = (/** @type {ArrayLike<number>} */ values) => Math.hypot(...Array.from(values))
const apart = (/** @type {ArrayLike<number>} */ a, /** @type {ArrayLike<number>} */ b) =>
  Array.from(a, (x, i) => Math.abs(x - /** @type {number} */ (b[i])))

const inference = (/** @type {Params} */ params, /** @type {any} */ batch) => {
  const logits = objective.head(
    params,
    model.forward(params, batch.inputs, { training: false }),
    { training: false },
    batch,
  )
  return { logits, loss: reduceLosses(objective.loss(logits, batch), batch) }
}

const gradients = (/** @type {Params} */ params, /** @type {any} */ batch) => {
  const names = Object.keys(params)
  const loss = (/** @type {any[]} */ ...tensors) => {
    const { sum, weight } = inference(Object.fromEntries(names.map((name, i) => [name, tensors[i]])), batch).loss
    return /** @type {any} */ (div(sum, weight))
  }
  const { value, grads } = valueAndGrads(loss)(Object.values(params))
  return { loss: value, grads: Object.fromEntries(names.map((name, i) => [name, /** @type {any} */ (grads[i])])) }
}

for (const installed of installedPlugins([root]).filter(({ kind }) => kind === 'engine')) {
  /** @type {Engine} */
  const engine = (await findPlugin(ENGINE, userSpecifier(installed.name), search)).plugin()
  const problem = await engine.start().then(
    () => undefined,
    (/** @type {Error} */ error) => error.message,
  )
  const title = `tiny BERT on engine ${installed.name}`
  if (problem !== undefined) {
    const everywhere = ['tfjs-cpu', 'tfjs-wasm', 'onnxruntime'].includes(installed.name)
    it(title, { skip: everywhere ? false : problem }, () => assert.fail(problem))
    continue
  }
  describe(`${title} against ${golden.source}`, () => {
    /** @type {Params} */
    let params
    const put = (/** @type {any} */ tree) => /** @type {any} */ (engine.put(tree))
    before(() => {
      params = put(weightsOf('plugins/model-bert/golden/tiny-bert/model.safetensors'))
    })
    after(() => engine.close())

    it('matches the logits and losses within 1e-5', async () => {
      const compiled = engine.compile(inference)
      for (const example of golden.examples) {
        const batch = objective.collate(itemsOf(example))
        assert.deepEqual(batch.inputs['inputIds'].shape, example.inputs.inputIds.shape)
        const { logits, loss } = /** @type {any} */ (await engine.read(compiled(params, put(batch))))
        assert.ok(Math.max(...apart(logits.values, example.logits.values)) < 1e-5)
        assert.ok(Math.abs(loss.sum.values[0] / loss.weight.values[0] - example.loss) < 1e-5)
      }
    })

    it('matches the gradients within 1e-4, per tensor by norm and per entry relative to the tensor', async () => {
      const batch = objective.collate(itemsOf(golden.examples[0]))
      const { grads } = /** @type {any} */ (await engine.read(engine.compile(gradients)(params, put(batch))))
      const expected = weightsOf('tools/parity/golden/gradients.safetensors')
      assert.deepEqual(Object.keys(grads).sort(), Object.keys(expected).sort())
      for (const [name, { values, shape }] of Object.entries(expected)) {
        assert.deepEqual(grads[name].shape, shape)
        const differences = apart(grads[name].values, values)
        if (isKeyBias(name)) {
          assert.ok(Math.max(...differences) < 1e-6)
          continue
        }
        assert.ok(norm(differences) <= 1e-4 * norm(values), `${name}: ${norm(differences) / norm(values)} of its norm`)
        const floor = 0.05 * Math.max(...Array.from(values, Math.abs))
        const worst = Math.max(...differences.map((d, i) => d / (Math.abs(/** @type {number} */ (values[i])) + floor)))
        assert.ok(worst <= 1e-4, `${name}: expected an entry difference below 1e-4, got ${worst}`)
      }
    })

    it('matches the weights after six steps of AdamW within 1e-5', async () => {
      const { training, examples } = golden
      const find = async (/** @type {any} */ kind, /** @type {string} */ name, options = {}) =>
        (await findPlugin(kind, userSpecifier(name), search)).plugin(options)
      const { trainable, merge } = await (await find(ADAPTER, 'full')).adapt(model, params)
      /** @type {Optimizer} */
      const optimizer = await find(OPTIMIZER, 'adamw', { weightDecay: training.weightDecay })
      const schedule = await find(SCHEDULER, 'linear', { warmupSteps: training.warmupSteps })
      const step = engine.compile((now, state, batch, hyper) => {
        const { loss, grads } = gradients(now, batch)
        const { updates, state: next } = optimizer.update(grads, state, now, hyper)
        const moved = Object.fromEntries(Object.keys(now).map((name) => [name, add(now[name], updates[name])]))
        return { params: moved, state: next, loss }
      })
      let now = { params: trainable, state: engine.compile(() => optimizer.init(trainable))() }
      for (const [i, rate] of training.rates.entries()) {
        const learningRate = training.learningRate * schedule(i + 1, training.rates.length)
        assert.ok(Math.abs(learningRate - rate) < 1e-12)
        const scalar = (/** @type {number} */ n) => ({ shape: [], dtype: 'float32', values: Float32Array.of(n) })
        const hyper = put({ learningRate: scalar(learningRate), step: scalar(i + 1), steps: scalar(9), scheduled: {} })
        const result = step(
          now.params,
          now.state,
          put(objective.collate(itemsOf(examples[i % examples.length]))),
          hyper,
        )
        const loss = /** @type {any} */ (await engine.read(result.loss))
        assert.ok(Math.abs(loss.values[0] - training.losses[i]) < 1e-5, `loss of step ${i + 1}: ${loss.values[0]}`)
        now = /** @type {any} */ (result)
      }
      const trained = /** @type {Record<string, HostArray>} */ (await engine.read(merge(now.params, {})))
      const total = training.rates.reduce((/** @type {number} */ sum, /** @type {number} */ rate) => sum + rate, 0)
      for (const [name, { values }] of Object.entries(weightsOf('tools/parity/golden/trained.safetensors'))) {
        const furthest = Math.max(...apart(/** @type {HostArray} */ (trained[name]).values, values))
        // AdamW divides a gradient by its magnitude, so the rounding error of a zero gradient becomes a step of up to the learning rate.
        assert.ok(furthest < (isKeyBias(name) ? total : 1e-5), `${name} differs by ${furthest}`)
      }
    })
  })
}
