// @ts-check
/**
 * Compares optimizer plugins with the golden steps of other libraries: ten on a fixed problem (tools/golden/optimizers.py, sophia_g.py and
 * alternating.py) and five on a tiny BERT (tools/golden/optimizer_training.py). Returns the deviations; the caller judges them.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ADAPTER, OPTIMIZER, key, userSpecifier } from '@attune/core'
import { chain, matchesPattern, scaleByLearningRate } from '@attune/nn'
import { findPlugin } from '@attune/resolve'
import { goldenDeviation } from '@attune/testkit'
import { trainingStep } from '@attune/trainer'
import { hostTree, maximum, readCase, root, tensors } from './measure-model.mjs'

/** @import { AnyPlugin, Engine, HostArray, Optimizer } from '@attune/core' */
/** @import { OptimizerGolden } from '@attune/testkit' */

const STEPS = 5

/** Five steps of each optimizer on the tiny BERT, from tools/golden/optimizer_training.py. */
export const training = JSON.parse(readFileSync(join(root, 'tools/parity/golden/optimizers.json'), 'utf8'))

/** A golden file, and the plugin or chain of plugins whose steps it has. @typedef {{ plugin: AnyPlugin, golden: OptimizerGolden }} Steps */
/** An optimizer plugin and its golden files. @typedef {{ name: string, plugin: AnyPlugin, goldens: Steps[] }} Measured */

const search = { folders: [root] }
const { plugin: adamw } = await findPlugin(OPTIMIZER, userSpecifier('adamw'), search)

/** Golden files of a plugin together with AdamW. @type {Readonly<Record<string, (plugin: AnyPlugin) => (options: any) => unknown>>} */
const WITH_ADAMW = {
  'torch-alternating.json': (plugin) => (options) =>
    plugin({ ...options, optimizer: { use: adamw, beta1: 0.8, beta2: 0.9, weightDecay: 0.1 } }),
  'peft-lora-plus-adamw.json':
    (plugin) =>
    ({ ratio, weightDecay }) =>
      chain(/** @type {Optimizer} */ (adamw({ weightDecay })), /** @type {Optimizer} */ (plugin({ ratio }))),
}

/** All optimizer plugins of the repository, by name. @returns {Promise<Measured[]>} */
export async function optimizerPlugins() {
  const names = readdirSync(join(root, 'plugins')).filter((name) => name.startsWith('optimizer-'))
  return Promise.all(
    names.sort().map(async (folder) => {
      const name = folder.slice('optimizer-'.length)
      const { plugin } = await findPlugin(OPTIMIZER, userSpecifier(name), search)
      const golden = join(root, 'plugins', folder, 'golden')
      const files = existsSync(golden) ? readdirSync(golden).sort() : []
      const goldens = files.map((file) => ({
        plugin: /** @type {AnyPlugin} */ (WITH_ADAMW[file]?.(plugin) ?? plugin),
        golden: JSON.parse(readFileSync(join(golden, file), 'utf8')),
      }))
      return { name, plugin, goldens }
    }),
  )
}

/** Largest deviation from the golden steps over all cases. @param {Engine} engine @param {Steps} steps */
export async function deviation(engine, { plugin, golden }) {
  let largest = 0
  for (const example of golden.cases)
    largest = Math.max(largest, await goldenDeviation(engine, plugin, golden, example))
  return largest
}

/** @returns {any} */
const scalar = (/** @type {number} */ value) => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })

/** The tiny BERT, with LoRA's factors of another golden file for LoRA+. @param {Engine} engine @param {string} name */
async function readTiny(engine, name) {
  const it = await readCase(join(root, 'plugins/model-bert/golden/classification'))
  const { trains = '*' } = training.cases[name] ?? {}
  const entries = Object.entries(it.weights)
  const part = (/** @type {boolean} */ is) =>
    Object.fromEntries(entries.filter(([parameter]) => matchesPattern(parameter, trains) === is))
  if (name !== 'lora-plus')
    return { ...it, trainable: part(true), frozen: /** @type {any} */ (engine.put(part(false))) }
  const folder = join(root, 'plugins/adapter-lora/golden/bert')
  const { options } = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'))
  const { plugin } = await findPlugin(ADAPTER, userSpecifier('lora'), search)
  const adapted = await plugin(options, { engine, randomness: key(1) }).adapt(it.model, engine.put(it.weights))
  const own = /** @type {any} */ (await engine.read(adapted.trainable))
  return {
    ...it,
    model: adapted.model,
    frozen: adapted.frozen,
    trainable: { ...own, ...tensors(join(folder, 'start.safetensors')) },
  }
}

/** The plugin with the options of its golden steps, chained with SGD if it is a link. @param {Measured} measured @param {any} model @returns {Optimizer} */
function optimizerOf({ name, plugin }, model) {
  const { options = {} } = training.cases[name] ?? {}
  const both = name === 'alternating' ? { optimizer: { use: adamw, weightDecay: 0.1 } } : {}
  const link = /** @type {Optimizer} */ (plugin({ ...options, ...both }, { model }))
  if (link.link === 'before') return chain(link, scaleByLearningRate())
  return link.link === 'after' ? chain(scaleByLearningRate(), link) : link
}

/**
 * Five steps on a tiny BERT classifier: the loss before each, and the total update of each tensor. An optimizer with an average of the weights returns
 * the update of the average.
 * @param {Engine} engine @param {Measured} measured
 */
export async function trainTiny(engine, measured) {
  const { learningRate = 0.1, samples, losses: { length } = { length: STEPS } } = training.cases[measured.name] ?? {}
  const { model, objective, golden, trainable: initial, frozen } = await readTiny(engine, measured.name)
  const optimizer = optimizerOf(measured, model)
  // Labels that the reference has sampled replace those that the objective would sample.
  const sampleLabels = (/** @type {any[]} */ ...[, , , batch]) => ({ ...batch, labels: batch.sampled })
  const components = { model, optimizer, objective: samples === undefined ? objective : { ...objective, sampleLabels } }
  const step = engine.compile(trainingStep(components), { donate: [0, 3] })
  const trainable = /** @type {any} */ (engine.put(initial))
  /** @type {any} */
  let state = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() }
  const labels = (/** @type {number} */ i) =>
    samples === undefined ? {} : { sampled: { shape: [3], dtype: 'int32', values: samples[i] } }
  const losses = []
  for (let i = 0; i < length; i++) {
    const hyper = { learningRate: scalar(learningRate), step: scalar(i + 1), steps: scalar(length), scheduled: {} }
    const seed = { shape: [2], dtype: 'int32', values: Int32Array.of(i, 7) }
    const batch = /** @type {any} */ (engine.put(hostTree({ ...golden.examples[0].batch, ...labels(i) })))
    /** @type {any} */
    const inputs = engine.put(/** @type {any} */ ({ ...hyper, seed }))
    const { loss, state: next } = step(state, frozen, batch, inputs)
    state = next
    losses.push(/** @type {number} */ ((await engine.read(loss)).values[0]))
  }
  step.dispose()
  const { evaluationParams = (/** @type {any} */ _, /** @type {any} */ params) => params } = optimizer
  const last = engine.compile((s, params) => evaluationParams(s, params))(state.optimizer, state.trainable)
  return { losses, updates: updatesOf(/** @type {any} */ (await engine.read(last)), initial) }
}

/** @param {Record<string, HostArray>} last @param {Record<string, HostArray>} first @returns {Record<string, number[]>} */
const updatesOf = (last, first) =>
  Object.fromEntries(
    Object.entries(first).map(([name, { values }]) => [
      name,
      Array.from(values, (value, i) => /** @type {HostArray} */ (last[name]).values[i] - value),
    ]),
  )

/**
 * Deviations of five steps on the tiny BERT from the golden ones: of the losses, relative; of the norms of the updates of tensors, relative to the largest
 * norm; of values of the updates, relative to the largest value.
 * @param {Awaited<ReturnType<typeof trainTiny>>} found @param {any} golden
 */
export function trainingDeviation({ losses, updates }, golden) {
  const tensorsOf = /** @type {[string, any][]} */ (Object.entries(golden.updates))
  const norm = (/** @type {number[]} */ values) => Math.hypot(...values)
  const largestNorm = Math.max(...tensorsOf.map(([, { norm: each }]) => each))
  const parameters = Object.keys(updates).filter((name) => !name.includes('key.bias'))
  if (String(parameters.sort()) !== String(tensorsOf.map(([name]) => name).sort()))
    throw new Error(`expected the parameters ${tensorsOf.map(([name]) => name)}, got ${parameters}`)
  return {
    losses: maximum(losses.map((loss, i) => Math.abs(loss / golden.losses[i] - 1))),
    norms: maximum(tensorsOf.map(([name, each]) => Math.abs(norm(updates[name] ?? []) - each.norm) / largestNorm)),
    values: maximum(
      tensorsOf.flatMap(([name, { at, values }]) =>
        values.map((/** @type {number} */ value, /** @type {number} */ i) => {
          return Math.abs((updates[name]?.[at[i]] ?? NaN) - value) / golden.largest
        }),
      ),
    ),
  }
}
