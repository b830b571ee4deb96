import { join } from 'node:path'
import { type Example, type Metric, type Views, closeScope, isAttuneError } from '@attune/core'
import { batch } from '@attune/data'
import { openRun } from '../files/run-folder.js'
import { linksIn } from '../files/trust.js'
import { type EvaluateOptions, type Evaluation, metricsOf, splitOf } from '../inference/evaluated-split.js'
import { openModel } from '../inference/open-model.js'
import type { Predictor } from '../inference/predictor.js'
import { isEnsemble, readEnsemble } from './ensemble-file.js'
import { openEnsemble } from './open-ensemble.js'

const GROUP = 256

/** Sum of the log-losses, number of examples, and number of truncated ones. */
interface Totals {
  loss: number
  examples: number
  truncated: number
}

/** Predicts a group of rows and adds them to the metrics. @throws AttuneError the error of a row */
async function addGroup(
  predictor: Predictor,
  rows: readonly Example[],
  references: readonly Views[],
  totals: Totals,
): Promise<readonly Views[]> {
  const answers = await predictor.predict(rows)
  return answers.map((answer, i) => {
    if (isAttuneError(answer)) throw answer
    totals.examples++
    totals.truncated += Number(answer.truncated)
    const scores = answer['scores'] as Readonly<Record<string, number>>
    totals.loss -= Math.log(Math.max(Number.MIN_VALUE, scores[String(references[i]!['label'])] ?? 0))
    return answer
  })
}

/** Adds a group to the states of the metrics. */
const withGroup = (
  metrics: readonly Metric[],
  states: readonly unknown[],
  [predictions, references, rows]: readonly [readonly Views[], readonly Views[], readonly Example[]],
): unknown[] =>
  metrics.map((metric, m) => {
    const views = (of: readonly Views[]): unknown[] => of.map((each) => each[metric.compares])
    return metric.add(states[m], views(predictions), views(references), rows)
  })

/** The first run in an ensemble, or in its first member. */
const firstRun = (folder: string): string =>
  isEnsemble(folder) ? firstRun(join(folder, readEnsemble(folder).members[0]!)) : folder

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
  const first = firstRun(folder)
  const run = openRun(first, own)
  await run.requireTrust(linksIn(first))
  const chosen = await metricsOf(run, options)
  const { plan, scope, components, forward } = await openModel(run, first, chosen, own)
  const predictor = await openEnsemble(folder, own, openMember)
  try {
    const begun = performance.now()
    const { split, warnings } = await splitOf(run, plan, chosen, options)
    const { metrics, objective } = components
    const totals: Totals = { loss: 0, examples: 0, truncated: 0 }
    let states = metrics.map((metric) => metric.init())
    for await (const rows of batch(split.examples(), GROUP)) {
      const references = rows.map((row) => objective.reference(objective.encode(row)))
      states = withGroup(metrics, states, [await addGroup(predictor, rows, references, totals), references, rows])
    }
    const scores = metrics.map((metric, m) => [metric.name, metric.result(states[m])] as const)
    return {
      split: split.name,
      scores: { loss: { value: totals.loss / totals.examples }, ...Object.fromEntries(scores) },
      examples: totals.examples,
      truncated: totals.truncated,
      rejected: split.rejected().count,
      warnings: [...predictor.warnings, ...warnings],
      seconds: (performance.now() - begun) / 1000,
    }
  } finally {
    await predictor.close()
    forward.dispose()
    await closeScope(scope)
  }
}
