import { join } from 'node:path'
import { type AttuneError, type Example, type Metric, type Views, closeScope, isAttuneError } from '@attune/core'
import { batch } from '@attune/data'
import { openRun } from '../files/run-folder.js'
import { linksIn } from '../files/trust.js'
import { type EvaluateOptions, type Evaluation, metricsOf, splitOf } from '../inference/evaluated-split.js'
import { openModel } from '../inference/open-model.js'
import type { Prediction } from '../inference/predictor.js'
import { isEnsemble, readEnsemble } from './ensemble-file.js'
import { openEnsemble } from './open-ensemble.js'

const GROUP = 256

/** Sum of the log-losses, number of examples, and number of truncated ones. */
interface Totals {
  loss: number
  examples: number
  truncated: number
}

/** Predicts rows in order; undefined for a row that does not count. */
export type PredictRows = (rows: readonly Example[]) => Promise<readonly (Prediction | AttuneError | undefined)[]>

/** Rows with their predictions and references. */
type Group = readonly [predictions: readonly Views[], references: readonly Views[], rows: readonly Example[]]

/** Predicts a group of rows and adds them to the totals. @throws AttuneError the error of a row */
async function predictGroup(
  predict: PredictRows,
  rows: readonly Example[],
  references: readonly Views[],
  totals: Totals,
): Promise<Group> {
  const answers = await predict(rows)
  const counted = [...rows.keys()].filter((i) => answers[i] !== undefined)
  const predictions = counted.map((i) => {
    const answer = answers[i]!
    if (isAttuneError(answer)) throw answer
    totals.examples++
    totals.truncated += Number(answer.truncated)
    const scores = answer['scores'] as Readonly<Record<string, number>>
    totals.loss -= Math.log(Math.max(Number.MIN_VALUE, scores[String(references[i]!['label'])] ?? 0))
    return answer
  })
  return [predictions, counted.map((i) => references[i]!), counted.map((i) => rows[i]!)]
}

/** Adds a group to the states of the metrics. */
const withGroup = (
  metrics: readonly Metric[],
  states: readonly unknown[],
  [predictions, references, rows]: Group,
): unknown[] =>
  metrics.map((metric, m) => {
    const views = (of: readonly Views[]): unknown[] => of.map((each) => each[metric.compares])
    return metric.add(states[m], views(predictions), views(references), rows)
  })

/** The first run in an ensemble, or in its first member. */
const firstRun = (folder: string): string =>
  isEnsemble(folder) ? firstRun(join(folder, readEnsemble(folder).members[0]!)) : folder

/** Scores predictions of a split of a run, or of another source, with the metrics of the run. `loss` is their cross-entropy. */
export async function scorePredictions(
  folder: string,
  options: EvaluateOptions,
  predict: PredictRows,
): Promise<Evaluation> {
  const run = openRun(folder, options)
  await run.requireTrust(linksIn(folder))
  const chosen = await metricsOf(run, options)
  const { plan, scope, components, forward } = await openModel(run, folder, chosen, options)
  try {
    const begun = performance.now()
    const { split, warnings } = await splitOf(run, plan, chosen, options)
    const { metrics, objective } = components
    const totals: Totals = { loss: 0, examples: 0, truncated: 0 }
    let states = metrics.map((metric) => metric.init())
    for await (const rows of batch(split.examples(), GROUP)) {
      const references = rows.map((row) => objective.reference(objective.encode(row)))
      states = withGroup(metrics, states, await predictGroup(predict, rows, references, totals))
    }
    const scores = metrics.map((metric, m) => [metric.name, metric.result(states[m])] as const)
    return {
      split: split.name,
      scores: { loss: { value: totals.loss / totals.examples }, ...Object.fromEntries(scores) },
      examples: totals.examples,
      truncated: totals.truncated,
      rejected: split.rejected().count,
      warnings,
      seconds: (performance.now() - begun) / 1000,
    }
  } finally {
    forward.dispose()
    await closeScope(scope)
  }
}

/**
 * Evaluates an ensemble on a split of the data of its first member, or on another source, with that member's metrics. `loss` is the
 * cross-entropy of the combined probabilities; for votes it is infinite where no member votes for the label, and capped at about 744.
 */
export async function evaluateEnsemble(
  folder: string,
  options: EvaluateOptions,
  openMember: Parameters<typeof openEnsemble>[2],
): Promise<Evaluation> {
  const own = { ...options, baseDirectory: '.' }
  const predictor = await openEnsemble(folder, own, openMember)
  try {
    const evaluation = await scorePredictions(firstRun(folder), own, (rows) => predictor.predict(rows))
    return { ...evaluation, warnings: [...predictor.warnings, ...evaluation.warnings] }
  } finally {
    await predictor.close()
  }
}
