import type { Encoded, Example, Params, Views } from '@attune/core'
import type { Inference } from './infer.js'

/** A loaded model that predicts. */
export interface Predictor {
  /** The fields of an example that the objective reads, its text before all. */
  readonly fields: readonly string[]
  /** What its owner should know of how it was loaded. */
  readonly warnings: readonly string[]
  /** Predictions in the order of the examples; `truncated` tells whether a text lost its end. */
  predict(examples: AsyncIterable<Example> | Iterable<Example>): AsyncIterable<Views & { readonly truncated: boolean }>
  close(): Promise<void>
}

/** Predictions of examples, in their order. */
export async function* predictAll(
  forward: Inference,
  params: Params,
  encode: (example: Example) => Encoded,
  examples: AsyncIterable<Example> | Iterable<Example>,
): AsyncGenerator<Views & { readonly truncated: boolean }, void> {
  async function* items() {
    for await (const example of examples) yield encode(example)
  }
  for await (const { item, prediction } of forward.run(params, items()))
    yield { ...prediction, truncated: item.truncated }
}
