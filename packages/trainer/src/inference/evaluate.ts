import { resolve } from 'node:path'
import { AttuneError, closeScope } from '@attune/core'
import { faultFinder, inspectSplit } from '../data/inspect-split.js'
import { isEnsemble } from '../ensemble/ensemble-file.js'
import { evaluateEnsemble } from '../ensemble/evaluate-ensemble.js'
import { openRun } from '../files/run-folder.js'
import { linksIn } from '../files/trust.js'
import { fieldsOfMetrics, score } from '../run/score.js'
import { encodeAll } from '../step/batches.js'
import { type EvaluateOptions, type Evaluation, metricsOf, splitOf } from './evaluated-split.js'
import { openModel, versionWarnings } from './open-model.js'
import { openPredictor } from './open-predictor.js'

/** Evaluates the model of a run folder. */
async function evaluateModel(folder: string, options: EvaluateOptions): Promise<Evaluation> {
  const run = openRun(folder, options)
  await run.requireTrust(linksIn(folder)) // rejected rows of the test split are written to the folder
  const metrics = await metricsOf(run, options)
  const { plan, scope, objective, components, params, forward, warnings } = await openModel(
    run,
    folder,
    metrics,
    options,
  )
  try {
    const begun = performance.now()
    const { split, warnings: ofSplit } = await splitOf(run, plan, metrics, options)
    const empty = await inspectSplit(split, objective, faultFinder(components.objective, objective))
    const { items, truncated } = encodeAll(
      split.examples(),
      (example) => components.objective.encode(example),
      fieldsOfMetrics(components.metrics),
    )
    const scored = await score(forward, components.objective, components.metrics, params, items, components)
    if (scored.examples === 0)
      throw new AttuneError(
        'EMPTY_DATASET',
        `${split.location} contains no examples`,
        'Check the path and the format of the file.',
      )
    return {
      split: split.name,
      ...scored,
      truncated: truncated(),
      rejected: split.rejected().count,
      warnings: [...warnings, ...ofSplit, ...empty, ...versionWarnings(run)],
      seconds: (performance.now() - begun) / 1000,
    }
  } finally {
    forward.dispose()
    await closeScope(scope)
  }
}

/**
 * Evaluates the model of a run folder, or an ensemble, on one of its splits, or on another data source.
 *
 * @example
 * ```ts
 * import { evaluateRun } from '@attune/trainer/node'
 * const { scores, examples } = await evaluateRun('runs/topics', { split: 'train', metrics: ['accuracy', 'f1'] })
 * console.log(Object.keys(scores), examples) // [ 'loss', 'accuracy', 'macro-f1' ] 14
 * ```
 */
export function evaluateRun(directory: string, options: EvaluateOptions = {}): Promise<Evaluation> {
  const folder = resolve(options.baseDirectory ?? '.', directory)
  return isEnsemble(folder) ? evaluateEnsemble(folder, options, openPredictor) : evaluateModel(folder, options)
}
