import { AttuneError, type Metric, type Views, nearest } from '@attune/core'
import type { DriftDetector, DriftSignal } from './drift-detector.js'

/** A predicted row with its reference. */
export interface Predicted {
  readonly prediction: Views
  readonly reference: Views
}

/** The error of one row by a metric: the distance from the best value. @throws AttuneError `UNKNOWN_SCORE` */
function errorBy(metrics: readonly Metric[], name: string | undefined): (row: Predicted) => number {
  const metric = name === undefined ? metrics[0] : metrics.find((each) => each.name === name)
  if (metric === undefined) {
    const names = metrics.map((each) => each.name)
    const near = name === undefined ? [] : nearest(name, names)
    throw new AttuneError(
      'UNKNOWN_SCORE',
      `drift detection: expected a metric of the configuration${name === undefined ? '' : `, got "${name}"`}`,
      names.length === 0
        ? 'Add `metric: accuracy` to the configuration.'
        : `Use ${(near.length > 0 ? near : names).join(' or ')}.`,
    )
  }
  const { compares, direction, range } = metric
  return ({ prediction, reference }) => {
    const { value } = metric.result(metric.add(metric.init(), [prediction[compares]], [reference[compares]]))
    return direction === 'maximize' ? range[1] - value : value
  }
}

/** Returns a function that passes the errors of rows to a detector, one by one, and returns the strongest signal among them. */
export function watchDrift(metrics: readonly Metric[], detector: DriftDetector, metric?: string) {
  const errorOf = errorBy(metrics, metric)
  let state = detector.init()
  return (rows: readonly Predicted[]): DriftSignal => {
    let strongest: DriftSignal = 'stable'
    for (const row of rows) {
      const next = detector.add(state, errorOf(row))
      state = next.state
      if (next.signal === 'drift' || (next.signal === 'warning' && strongest === 'stable')) strongest = next.signal
    }
    return strongest
  }
}
