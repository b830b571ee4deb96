// @ts-check
/**
 * Compares a model plugin with transformers on the same tiny weights (golden values from tools/golden/models_*.py): logits, loss, gradients,
 * and the weights after five steps of AdamW. Returns the differences; the caller judges them.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ADAPTER, MODEL, OBJECTIVE, OPTIMIZER, key, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { headFor, maskedLogits, hiddenStatesAt, reduceLosses, tokenLogits } from '@attune/nn'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import { add, div, reshape, engine as tensorEngine, zerosLike } from '@tensorflow/tfjs-core'

/** @import { Engine, HostArray, Model, Objective, Optimizer, Params } from '@attune/core' */

export const root = fileURLToPath(new URL('../..', import.meta.url))
const search = { folders: [root] }

/** Maximum differences over a case. @typedef {{ logits: number, loss: number, gradients: number, weights: number, parameters: number }} Differences */

/** Folders of all golden cases: `plugins/model-<plugin>/golden/<case>`. */
export function goldenCases() {
  const plugins = readdirSync(join(root, 'plugins')).filter((name) => name.startsWith('model-'))
  return plugins
    .map((name) => join(root, 'plugins', name, 'golden'))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((folder) => existsSync(join(folder, 'golden.json')))
    .sort()
}

const json = (/** @type {string} */ path) => JSON.parse(readFileSync(path, 'utf8'))
export const tensors = (/** @type {string} */ path) => decodeSafetensors(readFileSync(path), path).tensors

/** Converts the arrays of a golden file to host arrays. @returns {any} */
export function hostTree(/** @type {any} */ tree) {
  if (!Array.isArray(tree['shape'])) return Object.fromEntries(Object.entries(tree).map(([k, v]) => [k, hostTree(v)]))
  const { shape, dtype, values } = tree
  return { shape, dtype, values: dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values) }
}

/** A golden batch, whose masked positions are called `places` in the file, as batches call them. @param {any} batch */
const batchOf = ({ places: positions, ...batch }) => (positions === undefined ? batch : { ...batch, positions })

/**
 * The plugin's model and objective, the golden file and the weights of a case.
 * @param {string} folder @param {(names: readonly string[]) => object} [change] options that override the case's
 */
export async function readCase(folder, change = () => ({})) {
  const { examples, ...file } = json(join(folder, 'golden.json'))
  const golden = {
    ...file,
    examples: examples.map((/** @type {any} */ each) => ({ ...each, batch: batchOf(each.batch) })),
  }
  const config = json(join(folder, 'config.json'))
  const plugin = (await findPlugin(MODEL, userSpecifier(golden.plugin), search)).plugin
  /** @type {Model} */
  const model = plugin({
    ...optionsFromConfig(plugin.options, config),
    ...change(Object.keys(plugin.options.shape)),
  })
  const special = { pad: config.pad_token_id ?? 0, mask: 1 }
  const tokenizer = { vocabularySize: config.vocab_size, special, token: () => '' }
  /** @type {Objective<any, any, any>} */
  const objective = (await findPlugin(OBJECTIVE, userSpecifier(golden.objective), search)).plugin(
    golden.objectiveOptions,
    {
      model,
      tokenizer,
    },
  )
  return { golden, config, model, objective, weights: tensors(join(folder, 'model.safetensors')) }
}

/** @typedef {Awaited<ReturnType<typeof readCase>>} Case */

/** Logits of the case's objective; the heads of language models return only losses. */
export function logitsOf(
  /** @type {Case} */ { model, objective, golden },
  /** @type {Params} */ params,
  /** @type {any} */ batch,
) {
  const mode = /** @type {const} */ ({ training: false })
  const outputs = model.forward(params, batch.inputs, mode)
  const head = objective.head(params, outputs, mode, batch)
  const loss = reduceLosses(objective.loss(head, batch), batch)
  if (!('losses' in head)) return { logits: head, loss }
  const { lastHiddenState: states, tokenLogits: own } = outputs
  if (own !== undefined) return { logits: own, loss }
  const parts = headFor(model, golden.objective)
  const { positions: at } = batch
  if (at === undefined) return { logits: tokenLogits(model, parts, params, states), loss }
  const hidden = maskedLogits(model, parts, params, hiddenStatesAt(states, at)) // [batch · positions, vocabulary]
  return { logits: reshape(hidden, [...at.shape, -1]), loss }
}

/** Mean loss and its gradients by name. */
function gradientsOf(/** @type {Case} */ it, /** @type {Params} */ params, /** @type {any} */ batch) {
  const names = Object.keys(params)
  const loss = () => {
    const { sum, weight } = logitsOf(it, params, batch).loss
    return /** @type {any} */ (div(sum, weight))
  }
  // `valueAndGrads` would throw for a parameter that does not contribute to the loss.
  const { value, grads } = tensorEngine().gradients(loss, /** @type {any[]} */ (Object.values(params)), undefined, true)
  const named = names.map((name, i) => [name, grads[i] ?? zerosLike(/** @type {any} */ (params[name]))])
  return { loss: value, grads: /** @type {Params} */ (Object.fromEntries(named)) }
}

const norm = (/** @type {ArrayLike<number>} */ values) => Math.hypot(...Array.from(values))
export const apart = (/** @type {ArrayLike<number>} */ a, /** @type {ArrayLike<number>} */ b) =>
  Array.from(a, (x, i) => Math.abs(x - /** @type {number} */ (b[i])))
export const maximum = (/** @type {Iterable<number>} */ values) => {
  let most = 0
  for (const value of values) most = Number.isNaN(value) ? Infinity : Math.max(most, value)
  return most
}

/** A gradient that is zero up to rounding, such as that of a bias before a softmax or a norm, has no meaningful relative error. */
const ZERO = 1e-6

/** Maximum over all tensors of the gradient difference relative to the tensor's norm. */
export function gradientDifference(/** @type {any} */ found, /** @type {Record<string, HostArray>} */ expected) {
  return maximum(
    Object.entries(expected).map(([name, { values }]) => {
      const difference = norm(apart(found[name].values, values))
      return norm(values) < ZERO ? (difference < ZERO ? 0 : Infinity) : difference / norm(values)
    }),
  )
}

/** Maximum difference of the weights from the golden ones after five steps of AdamW; NaN there excludes values that depend on rounding. */
async function train(
  /** @type {Case} */ it,
  /** @type {Engine} */ engine,
  /** @type {Params} */ params,
  /** @type {string} */ folder,
) {
  const { golden, model } = it
  const { training, examples } = golden
  const find = async (/** @type {any} */ kind, /** @type {string} */ name, options = {}) =>
    (await findPlugin(kind, userSpecifier(name), search)).plugin(options)
  const { trainable, merge } = await (await find(ADAPTER, 'full')).adapt(model, params)
  /** @type {Optimizer} */
  const optimizer = await find(OPTIMIZER, 'adamw', { weightDecay: training.weightDecay })
  const step = engine.compile((now, state, batch, hyper) => {
    const { loss, grads } = gradientsOf(it, now, batch)
    const { updates, state: next } = optimizer.update(grads, state, now, hyper)
    const moved = Object.fromEntries(Object.keys(now).map((name) => [name, add(now[name], updates[name])]))
    return { params: moved, state: next, loss }
  })
  let now = { params: trainable, state: engine.compile(() => optimizer.init(trainable))() }
  const scalar = (/** @type {number} */ n) => ({ shape: [], dtype: 'float32', values: Float32Array.of(n) })
  for (const [i, learningRate] of training.rates.entries()) {
    const hyper = engine.put(
      /** @type {any} */ ({ learningRate: scalar(learningRate), step: scalar(i + 1), steps: scalar(9), scheduled: {} }),
    )
    const batch = engine.put(hostTree(examples[i % examples.length].batch))
    now = /** @type {any} */ (step(now.params, now.state, batch, hyper))
  }
  const trained = /** @type {Record<string, HostArray>} */ (await engine.read(merge(now.params, {})))
  return maximum(
    Object.entries(tensors(join(folder, 'trained.safetensors'))).flatMap(([name, { values }]) =>
      apart(/** @type {HostArray} */ (trained[name]).values, values).filter((_, i) => !Number.isNaN(values[i])),
    ),
  )
}

/**
 * Checkpoints with another head lack the pooler: it is randomly initialized, and nothing depends on it.
 * @param {Case} it @param {Engine} engine @returns {Case}
 */
export function withRest(it, engine) {
  const fresh = engine.compile(() => it.model.init(key(1)))()
  const rest = Object.fromEntries(Object.entries(fresh).filter(([name]) => it.weights[name] === undefined))
  const forward = /** @type {Model['forward']} */ (params, inputs, mode) =>
    it.model.forward({ ...rest, ...params }, inputs, mode)
  return { ...it, model: { ...it.model, forward } }
}

/** All differences of a case on a started engine. @returns {Promise<Differences>} */
export async function measureModel(/** @type {string} */ folder, /** @type {Engine} */ engine) {
  const it = withRest(await readCase(folder), engine)
  const params = /** @type {Params} */ (engine.put(it.weights))
  const infer = engine.compile((/** @type {any} */ p, /** @type {any} */ batch) => logitsOf(it, p, batch))
  const [logits, losses] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])]
  for (const example of it.golden.examples) {
    const found = /** @type {any} */ (await engine.read(infer(params, engine.put(hostTree(example.batch)))))
    if (String(found.logits.shape) !== String(example.logits.shape)) logits.push(Infinity)
    logits.push(...apart(found.logits.values, example.logits.values))
    losses.push(Math.abs(found.loss.sum.values[0] / found.loss.weight.values[0] - example.loss))
  }
  const gradients = engine.compile((/** @type {any} */ p, /** @type {any} */ batch) => gradientsOf(it, p, batch))
  const { grads } = /** @type {any} */ (
    await engine.read(gradients(params, engine.put(hostTree(it.golden.examples[0].batch))))
  )
  return {
    logits: maximum(logits),
    loss: maximum(losses),
    gradients: gradientDifference(grads, tensors(join(folder, 'gradients.safetensors'))),
    weights: await train(it, engine, params, folder),
    parameters: Object.values(it.weights).reduce((sum, { values }) => sum + values.length, 0),
  }
}

/** Step inputs that gradients depend on: the seed. @param {any} seed @returns {any} */
export const hyperOf = (seed) => ({ seed, scheduled: {} })

/** The merge of an adapter that has one. @param {import('@attune/core').Adapted} adapted */
export function mergeOf({ merge }) {
  if (merge === undefined) throw new Error('the adapter has no merge')
  return merge
}
