// @ts-check
/** Compares loss plugins with the golden losses and gradients of other libraries (tools/golden/losses.py). */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { LOSS, userSpecifier } from '@attune/core'
import { gradients } from '@attune/nn'
import { findPlugin } from '@attune/resolve'
import { floats, integers, largestDifference } from '@attune/testkit'
import { sum } from '@tensorflow/tfjs-core'
import { root } from '../check/packages.mjs'

/** @import { AnyPlugin, Engine, LossTerm } from '@attune/core' */
/** @import { LossGolden } from '@attune/testkit' */
/** @import { Tensor } from '@tensorflow/tfjs-core' */

/** A loss plugin and its golden file. @typedef {{ name: string, plugin: AnyPlugin, golden: LossGolden }} MeasuredLoss */

/** All loss plugins of the repository, by name. @returns {Promise<MeasuredLoss[]>} */
export async function lossPlugins() {
  const names = readdirSync(join(root, 'plugins')).filter((name) => name.startsWith('loss-'))
  return Promise.all(
    names.sort().map(async (folder) => {
      const name = folder.slice('loss-'.length)
      const { plugin } = await findPlugin(LOSS, userSpecifier(name), { folders: [root] })
      return {
        name,
        plugin,
        golden: JSON.parse(readFileSync(join(root, 'plugins', folder, `golden/${name}.json`), 'utf8')),
      }
    }),
  )
}

/** Largest deviation of losses and gradients over all cases. @param {Engine} engine @param {MeasuredLoss} measured */
export async function lossDeviation(engine, { plugin, golden }) {
  let largest = 0
  for (const { options, outputs, targets, expected, gradient } of golden.cases) {
    const term = /** @type {LossTerm} */ (plugin(options))
    const array = term.compares === 'labels' ? integers : floats
    const step = engine.compile((/** @type {Tensor} */ o, /** @type {Tensor} */ t) => ({
      losses: term.losses(o, t),
      gradient: /** @type {Tensor} */ (gradients(() => sum(term.losses(o, t)), { o }).grads['o']),
    }))
    const given = [floats(outputs.values, outputs.shape), array(targets.values, targets.shape)].map((each) =>
      engine.put(each),
    )
    const found = /** @type {any} */ (await engine.read(step(.../** @type {[Tensor, Tensor]} */ (given))))
    const parts = [
      largestDifference(found.losses.values, expected),
      largestDifference(found.gradient.values, gradient.values),
    ]
    largest = Math.max(largest, ...parts)
  }
  return largest
}
