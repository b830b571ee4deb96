import type { Encoded, Metric, Objective, Params, Score } from '@attune/core'
import { batch } from '@attune/data'
import type { Inference, LossSum } from '../inference/infer.js'
import { fieldsOf } from '../step/kept-fields.js'

/** Predictions are folded into the metrics this many at a time. */
const GROUP = 256

/** What scoring a split gives. */
export interface Scored {
  /** By metric name; `loss` is the mean loss. */
  readonly scores: Readonly<Record<string, Score>>
  readonly examples: number
}

/** The fields of examples that some metrics read. */
export const fieldsOfMetrics = (metrics: readonly Metric[]): readonly string[] => [
  ...new Set(metrics.flatMap(({ fields = [] }) => fields)),
]

/** Runs a model over examples whose references are known, and scores it by every metric. */
export async function score(
  inference: Inference,
  objective: Objective,
  metrics: readonly Metric[],
  params: Params,
  items: AsyncIterable<Encoded>,
): Promise<Scored> {
  const loss: LossSum = { sum: 0, weight: 0 }
  const states = metrics.map((metric) => metric.init())
  let examples = 0
  for await (const group of batch(inference.run(params, items, loss), GROUP)) {
    examples += group.length
    const references = group.map(({ item }) => objective.reference(item))
    for (const [i, metric] of metrics.entries())
      states[i] = metric.add(
        states[i],
        group.map(({ prediction }) => prediction[metric.compares]),
        references.map((reference) => reference[metric.compares]),
        ...(metric.fields === undefined ? [] : [group.map(({ item }) => fieldsOf(item, metric.fields!))]),
      )
  }
  const scores = metrics.map((metric, i) => [metric.name, metric.result(states[i])] as const)
  return { scores: { loss: { value: loss.sum / loss.weight }, ...Object.fromEntries(scores) }, examples }
}
