// @ts-check
/**
 * Compares optimizer plugins with the golden steps of other libraries (tools/golden/optimizers.py), and trains a tiny BERT with each for
 * five steps. Returns what it measured; the caller judges it.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { OPTIMIZER, userSpecifier } from '@attune/core'
import { chain, matchesPattern, scaleByLearningRate } from '@attune/nn'
import { findPlugin } from '@attune/resolve'
import { goldenDeviation } from '@attune/testkit'
import { trainingStep } from '@attune/trainer'
import { hostTree, readCase, root } from './measure-model.mjs'

/** @import { AnyPlugin, Engine, Optimizer } from '@attune/core' */
/** @import { OptimizerGolden } from '@attune/testkit' */

const STEPS = 5
/** Methods for small heads: on the tiny BERT only its classifier trains. */
const FOR_HEADS = ['conjugate-gradient', 'lbfgs', 'newton']

/** An optimizer plugin and its golden file, if it has one. @typedef {{ name: string, plugin: AnyPlugin, golden?: OptimizerGolden }} Measured */

/** All optimizer plugins of the repository, by name. @returns {Promise<Measured[]>} */
export async function optimizerPlugins() {
  const names = readdirSync(join(root, 'plugins')).filter((name) => name.startsWith('optimizer-'))
  return Promise.all(
    names.sort().map(async (folder) => {
      const name = folder.slice('optimizer-'.length)
      const { plugin } = await findPlugin(OPTIMIZER, userSpecifier(name), { folders: [root] })
      const golden = join(root, 'plugins', folder, 'golden')
      const files = existsSync(golden) ? readdirSync(golden, { withFileTypes: true }) : []
      const file = files.find((each) => each.name.endsWith('.json'))
      const found = file && JSON.parse(readFileSync(join(golden, file.name), 'utf8'))
      // The golden file of an optimizer around another one has its own form, for the test of the plugin.
      return { name, plugin, ...(found?.cases && { golden: found }) }
    }),
  )
}

/** Largest deviation from the golden steps over all cases. @param {Engine} engine @param {AnyPlugin} plugin @param {OptimizerGolden} golden */
export async function deviation(engine, plugin, golden) {
  let largest = 0
  for (const example of golden.cases)
    largest = Math.max(largest, await goldenDeviation(engine, plugin, golden, example))
  return largest
}

const { plugin: adamw } = await findPlugin(OPTIMIZER, userSpecifier('adamw'), { folders: [root] })
/** Options without a default, or for small parameters. @type {Readonly<Record<string, object>>} */
const OPTIONS = { 'adamw-8bit': { minimumSize: 1 }, alternating: { optimizer: { use: adamw }, part: 'classifier.*' } }

/** The plugin with its default options, chained with SGD if it is a link. @param {Measured} measured @param {any} model @returns {Optimizer} */
function optimizerOf({ name, plugin }, model) {
  const link = /** @type {Optimizer} */ (plugin(OPTIONS[name] ?? {}, { model }))
  if (link.link === 'before') return chain(link, scaleByLearningRate())
  return link.link === 'after' ? chain(scaleByLearningRate(), link) : link
}

/** @returns {any} */
const scalar = (/** @type {number} */ value) => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })

/** Losses of five steps of a tiny BERT classifier. @param {Engine} engine @param {Measured} measured */
export async function trainTiny(engine, measured) {
  const { model, objective, golden, weights } = await readCase(join(root, 'plugins/model-bert/golden/classification'))
  const optimizer = optimizerOf(measured, model)
  const trains = (/** @type {string} */ name) =>
    !FOR_HEADS.includes(measured.name) || matchesPattern(name, 'classifier.*')
  const part = (/** @type {boolean} */ is) =>
    /** @type {any} */ (engine.put(Object.fromEntries(Object.entries(weights).filter(([name]) => trains(name) === is))))
  const [trainable, frozen] = [part(true), part(false)]
  const step = engine.compile(trainingStep({ model, objective, optimizer }), { donate: [0, 3] })
  /** @type {any} */
  let state = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() }
  /** @type {any} */
  const batch = engine.put(hostTree(golden.examples[0].batch))
  const losses = []
  const learningRate = scalar(FOR_HEADS.includes(measured.name) ? 1 : 1e-3)
  for (let i = 0; i < STEPS; i++) {
    const seed = { shape: [2], dtype: 'int32', values: Int32Array.of(i, 7) }
    /** @type {any} */
    const inputs = engine.put(
      /** @type {any} */ ({ learningRate, step: scalar(i + 1), steps: scalar(STEPS), seed, scheduled: {} }),
    )
    const { loss, state: next } = step(state, frozen, batch, inputs)
    state = next
    losses.push(/** @type {number} */ ((await engine.read(loss)).values[0]))
  }
  step.dispose()
  return losses
}
