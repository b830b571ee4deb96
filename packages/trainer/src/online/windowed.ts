import type { Example, Metric, Score, Views } from '@attune/core'

/** Scores by metric name. */
export type Scores = Readonly<Record<string, Score>>

/** Metrics over all predictions so far, and over the latest ones. */
export interface WindowedScores {
  /** Adds the predictions of a batch with their references and examples. Returns the scores of the batch. */
  add(predictions: readonly Views[], references: readonly Views[], examples: readonly Example[]): Scores
  /** Scores over all predictions so far. */
  overall(): Scores
  /** Scores over the latest batches that together cover the window. */
  latest(): Scores
}

interface Group {
  readonly count: number
  readonly states: readonly unknown[]
}

/** Creates metrics over all predictions and over a sliding window; memory is proportional to the window. */
export function windowedScores(metrics: readonly Metric[], window: number): WindowedScores {
  const groups: Group[] = []
  let [total, held] = [metrics.map((metric) => metric.init()), 0]
  const mergeWith = (before: readonly unknown[], states: readonly unknown[]): unknown[] =>
    metrics.map((metric, i) => metric.merge(before[i], states[i]))
  const results = (states: readonly unknown[]): Scores =>
    Object.fromEntries(metrics.map((metric, i) => [metric.name, metric.result(states[i])]))
  return {
    add(predictions, references, examples) {
      const states = metrics.map((metric) => {
        const view = (of: readonly Views[]): unknown[] => of.map((views) => views[metric.compares])
        return metric.add(metric.init(), view(predictions), view(references), examples)
      })
      groups.push({ count: predictions.length, states })
      held += predictions.length
      for (; held - groups[0]!.count >= window; groups.shift()) held -= groups[0]!.count
      total = mergeWith(total, states)
      return results(states)
    },
    overall: () => results(total),
    latest: () =>
      results(
        groups
          .map(({ states }) => states)
          .reduce<readonly unknown[]>(
            mergeWith,
            metrics.map((metric) => metric.init()),
          ),
      ),
  }
}
