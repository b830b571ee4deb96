import { resolve } from 'node:path'
import { AttuneError, closeScope } from '@attune/core'
import { rowReader, inspectSplit } from '../data/inspect-split.js'
import { isEnsemble } from '../ensemble/ensemble-file.js'
import { evaluateEnsemble } from '../ensemble/evaluate-ensemble.js'
import { evaluationsOf } from '../files/evaluations-of.js'
import { openRun } from '../files/run-folder.js'
import { linksIn } from '../files/trust.js'
import { score } from '../run/score.js'
import { type EvaluateOptions, type Evaluation, metricsOf, splitOf } from './evaluated-split.js'
import { openModel, versionWarnings } from './open-model.js'
import { evaluatePretrained, isSavedModel } from './evaluate-pretrained.js'
import { openPredictor } from './open-predictor.js'
import { scoreSplit } from './score-split.js'
import { taskReport } from './task-report.js'

const badSingle = (problem: string, remedy: string): AttuneError => new AttuneError('BAD_ARGUMENT', problem, remedy)

const WITHOUT_REFERENCE =
  'a saved run has no reference model: the loss and the scores are of log-probabilities alone, those of the evaluations during training relative to the reference'

/** Evaluates the model of a run folder. */
async function evaluateModel(folder: string, options: EvaluateOptions) {
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
    const empty = await inspectSplit(split, objective, rowReader(components.objective, objective))
    const scored = await scoreSplit(split, components, (items) =>
      score(forward, components.objective, components.metrics, params, items, components),
    )
    const evaluation: Evaluation = {
      ...scored,
      warnings: [
        ...[...warnings, ...ofSplit, ...empty, ...versionWarnings(run)],
        ...(components.objective.needsReference === true ? [WITHOUT_REFERENCE] : []),
      ],
      seconds: (performance.now() - begun) / 1000,
    }
    return { evaluation, metrics: components.metrics }
  } finally {
    forward.dispose()
    await closeScope(scope)
  }
}

/**
 * Scores of the single-task models of an evaluation, by task.
 * @throws AttuneError `BAD_ARGUMENT` for other tasks than those of the model, or for other examples
 */
async function evaluateSingles({ scores }: Evaluation, { singles = {}, ...options }: EvaluateOptions) {
  const parts = scores['loss']?.parts ?? {}
  const found: Record<string, Evaluation['scores']> = {}
  for (const [task, directory] of Object.entries(singles)) {
    if (parts[task] === undefined || options.source !== undefined)
      throw badSingle(
        `expected a single-task model for one of the tasks ${Object.keys(parts).join(', ')}, on a split of its own data, got one for "${task}"`,
        'Correct the name of the task, and name a split instead of another file.',
      )
    const { evaluation: alone } = await evaluateModel(resolve(options.baseDirectory ?? '.', directory), options)
    if (alone.examples !== parts[task]['support'])
      throw badSingle(
        `expected the single-task model ${directory} to be evaluated on the ${parts[task]['support']} examples of "${task}", got ${alone.examples}`,
        'Train it with the rows of that task: the same test split.',
      )
    found[task] = alone.scores
  }
  return found
}

/** Evaluates the model of a run folder, with a report if it has several tasks. */
async function evaluateTasks(folder: string, options: EvaluateOptions): Promise<Evaluation> {
  const { evaluation, metrics } = await evaluateModel(folder, options)
  const singles = await evaluateSingles(evaluation, options)
  if (evaluation.scores['loss']?.parts === undefined) return evaluation
  const evaluations = [...(await evaluationsOf(folder)).values()]
  const tasks = taskReport(evaluation.scores, { metrics, evaluations, singles })
  return tasks === undefined ? evaluation : { ...evaluation, tasks }
}

/**
 * Evaluates the model of a run folder, or an ensemble, on one of its splits, or on another data source. A saved model without a run, such as
 * one of sentence-transformers, is evaluated on another data source.
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
  if (isEnsemble(folder)) return evaluateEnsemble(folder, options, openPredictor)
  return isSavedModel(folder) ? evaluatePretrained(folder, options) : evaluateTasks(folder, options)
}
