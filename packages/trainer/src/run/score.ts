import type { Encoded, Metric, Objective, Params, Score, Views } from '@attune/core'
import { batch } from '@attune/data'
import type { Inference, LossSum } from '../inference/infer.js'
import { fieldsOf } from '../step/kept-fields.js'
import { type GenerationComponents, textGenerator } from '../step/text-generator.js'

/** Number of predictions per metric update. */
const GROUP = 256

/** Scores of a split. */
export interface Scored {
  /** By metric name; `loss` is the mean loss, with the mean loss of each task if there are several. */
  readonly scores: Readonly<Record<string, Score>>
  readonly examples: number
}

/** Example fields that the metrics read. */
export const fieldsOfMetrics = (metrics: readonly Metric[]): readonly string[] => [
  ...new Set(metrics.flatMap(({ fields = [] }) => fields)),
]

/** Creates the generated-text views for metrics that compare them; otherwise nothing is generated. */
function generated(
  { generate, generatedViews = [] }: Objective,
  metrics: readonly Metric[],
  components: GenerationComponents | undefined,
): { views(items: readonly Encoded[]): Promise<readonly Views[]>; close(): void } {
  const isCompared = metrics.some(({ compares }) => generatedViews.includes(compares))
  if (generate === undefined || components === undefined || !isCompared)
    return { views: () => Promise.resolve([]), close: () => undefined }
  const generator = textGenerator(components)
  return { views: (items) => generate(items, generator.generate), close: generator.close }
}

/** The mean loss, with that of each group, such as a task, and its number of examples, if the examples have groups. */
function lossScore({ sum, weight, groups = new Map() }: LossSum): Score {
  const parts = Array.from(
    groups,
    ([group, own]) => [group, { loss: own.sum / own.weight, support: own.examples }] as const,
  )
  return { value: sum / weight, ...(parts.length > 0 && { parts: Object.fromEntries(parts) }) }
}

/**
 * Runs a model over labelled examples and computes the loss and every metric.
 * @param generating components for text generation, for objectives with metrics on generated text
 */
export async function score(
  inference: Inference,
  objective: Objective,
  metrics: readonly Metric[],
  params: Params,
  items: AsyncIterable<Encoded>,
  generating?: Omit<GenerationComponents, 'params'>,
): Promise<Scored> {
  const loss: LossSum = { sum: 0, weight: 0, groups: new Map() }
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
  return { scores: { loss: lossScore(loss), ...Object.fromEntries(scores) }, examples }
}
