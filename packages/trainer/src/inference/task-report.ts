import type { Metric, Score } from '@attune/core'
import { rankCorrelation } from './rank-correlation.js'

/** The main score of a task: that of its first metric, otherwise its loss. */
export interface TaskScore {
  readonly task: string
  /** Name of the score, such as `topic.accuracy`, or `loss`. */
  readonly score: string
  readonly value: number
  /** Mean loss. */
  readonly loss: number
  readonly examples: number
  /** The same score of a single-task model, if there is one to compare with. */
  readonly single?: number
  /** Relative difference to the single-task model, `± (value − single) / single`; above 0: the multi-task model is better. */
  readonly difference?: number
}

/** Correlations of the tasks over a run. */
export interface TaskCorrelations {
  /** Number of changes: of evaluations but the first. */
  readonly changes: number
  /**
   * Spearman correlations of the changes of two tasks' scores between successive evaluations, in [−1, 1], a row and a column for each task.
   * Below 0: where one task gains, the other one loses. NaN for a score that never changes.
   */
  readonly values: readonly (readonly number[])[]
}

/** Scores of a multi-task model by task. */
export interface TaskReport {
  readonly tasks: readonly TaskScore[]
  /**
   * `deltaM`: Δm, the mean over the tasks of the relative differences to single-task models, if there is one for each task. Otherwise
   * `mean`: the mean of the scores, if all of them are in [0, 1] and higher values are better; absent for scores of other kinds, whose mean
   * has no meaning.
   */
  readonly overall?: { readonly name: 'deltaM' | 'mean'; readonly value: number }
  /** Absent for fewer than four evaluations. */
  readonly correlations?: TaskCorrelations
}

type Scores = Readonly<Record<string, Score>>
type MainMetric = Pick<Metric, 'name' | 'direction' | 'range'>

/** Minimum number of changes that are correlated: two changes always have a correlation of −1 or 1. */
const MINIMUM_CHANGES = 3

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The first metric of a task; undefined if it has none. */
const metricOf = <M extends Pick<Metric, 'name'>>(metrics: readonly M[], task: string): M | undefined =>
  metrics.find(({ name }) => name.startsWith(`${task}.`))

/** The main score of a task in an evaluation. */
const valueOf = (scores: Scores, task: string, metric: MainMetric | undefined): number =>
  (metric === undefined ? scores['loss']?.parts?.[task]?.['loss'] : scores[metric.name]?.value) ?? NaN

/** 1 if higher values of the main score are better, −1 if lower ones are. */
const signOf = (metric: MainMetric | undefined): number => (metric?.direction === 'maximize' ? 1 : -1)

/** The same score of a model for one task, whose metrics may be without the name of the task. */
export const singleScore = (scores: Scores, { task, score }: Pick<TaskScore, 'task' | 'score'>): number | undefined =>
  (scores[score] ?? scores[score.slice(task.length + 1)])?.value

function correlationsOf(
  tasks: readonly string[],
  metrics: readonly MainMetric[],
  evaluations: readonly Scores[],
): TaskCorrelations | undefined {
  const changes = tasks.map((task) => {
    const metric = metricOf(metrics, task)
    const values = evaluations.map((scores) => signOf(metric) * valueOf(scores, task, metric))
    return values.slice(1).map((value, i) => value - values[i]!)
  })
  const count = evaluations.length - 1
  if (count < MINIMUM_CHANGES) return undefined
  return { changes: count, values: changes.map((a) => changes.map((b) => rankCorrelation(a, b))) }
}

/** The main score of a task, next to that of its single-task model. */
function taskScore(scores: Scores, task: string, metric: MainMetric | undefined, alone: Scores | undefined): TaskScore {
  const own = { task, score: metric?.name ?? 'loss', value: valueOf(scores, task, metric) }
  const { loss = NaN, support: examples = NaN } = scores['loss']?.parts?.[task] ?? {}
  const single = alone === undefined ? undefined : singleScore(alone, own)
  if (single === undefined) return { ...own, loss, examples }
  return { ...own, loss, examples, single, difference: (signOf(metric) * (own.value - single)) / single }
}

/** The overall score of the tasks; undefined if there is none. */
function overallOf(tasks: readonly TaskScore[], metrics: readonly MainMetric[]): TaskReport['overall'] {
  const differences = tasks.flatMap(({ difference }) => difference ?? [])
  if (differences.length === tasks.length) return { name: 'deltaM', value: mean(differences) }
  const areFractions = tasks.every(({ task }) => {
    const { direction, range } = metricOf(metrics, task) ?? {}
    return direction === 'maximize' && range?.[0] === 0 && range[1] === 1
  })
  return areFractions ? { name: 'mean', value: mean(tasks.map(({ value }) => value)) } : undefined
}

/** Evaluations that a report compares with. */
export interface ReportInputs {
  readonly metrics: readonly MainMetric[]
  /** Validation scores of the run, in order. */
  readonly evaluations?: readonly Scores[]
  /** Scores of single-task models, by task. */
  readonly singles?: Readonly<Record<string, Scores>>
}

/**
 * Reports the scores of a multi-task model by task, their overall score, and how the scores of the tasks are correlated over the run. The
 * correlation is of changes, since scores that all rise during training are correlated whatever the tasks.
 *
 * Sources: Maninis, Radosavovic and Kokkinos, Attentive Single-Tasking of Multiple Tasks, 2019, and Vandenhende et al.,
 * Multi-Task Learning for Dense Prediction Tasks: A Survey, 2021 (Δm); Granger and Newbold, Spurious Regressions in Econometrics, 1974
 * (correlation of changes).
 * @param scores scores with the losses of two or more tasks; otherwise there is no report
 */
export function taskReport(
  scores: Scores,
  { metrics, evaluations = [], singles = {} }: ReportInputs,
): TaskReport | undefined {
  const names = Object.keys(scores['loss']?.parts ?? {})
  if (names.length < 2) return undefined
  const tasks = names.map((task) => taskScore(scores, task, metricOf(metrics, task), singles[task]))
  const overall = overallOf(tasks, metrics)
  const correlations = correlationsOf(names, metrics, evaluations)
  return { tasks, ...(overall && { overall }), ...(correlations && { correlations }) }
}
