import type { Encoded, Metric, Objective, Params, Score, Views } from '@attune/core'
import { batch } from '@attune/data'
import type { Inference, LossSum } from '../inference/infer.js'
import { fieldsOf } from '../step/kept-fields.js'
import { type GenerationComponents, textGenerator } from '../step/text-generator.js'

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

/** Views that need generated text, for metrics that compare one of them; nothing is generated for others. */
function generated(
  { generate, generatedViews = [] }: Objective,
  metrics: readonly Metric[],
  parts: GenerationComponents | undefined,
): { views(items: readonly Encoded[]): Promise<readonly Views[]>; close(): void } {
  const isCompared = metrics.some(({ compares }) => generatedViews.includes(compares))
  if (generate === undefined || parts === undefined || !isCompared)
    return { views: () => Promise.resolve([]), close: () => undefined }
  const generator = textGenerator(parts)
  return { views: (items) => generate(items, generator.generate), close: generator.close }
}

/**
 * Runs a model over examples whose references are known, and scores it by every metric.
 * @param generating parts that generate text, for objectives whose metrics compare it
 */
export async function score(
  inference: Inference,
  objective: Objective,
  metrics: readonly Metric[],
  params: Params,
  items: AsyncIterable<Encoded>,
  generating?: Omit<GenerationComponents, 'params'>,
): Promise<Scored> {
  const loss: LossSum = { sum: 0, weight: 0 }
  const states = metrics.map((metric) => metric.init())
  const text = generated(objective, metrics, generating && { ...generating, params: () => params })
  let examples = 0
  for await (const group of batch(inference.run(params, items, loss), GROUP)) {
    examples += group.length
    const references = group.map(({ item }) => objective.reference(item))
    const written = await text.views(group.map(({ item }) => item))
    const predictions = group.map(({ prediction }, i): Views => ({ ...prediction, ...written[i] }))
    for (const [i, metric] of metrics.entries())
      states[i] = metric.add(
        states[i],
        predictions.map((prediction) => prediction[metric.compares]),
        references.map((reference) => reference[metric.compares]),
        ...(metric.fields === undefined ? [] : [group.map(({ item }) => fieldsOf(item, metric.fields!))]),
      )
  }
  text.close()
  const scores = metrics.map((metric, i) => [metric.name, metric.result(states[i])] as const)
  return { scores: { loss: { value: loss.sum / loss.weight }, ...Object.fromEntries(scores) }, examples }
}
