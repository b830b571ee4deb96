import type { Cache } from '@attune/core'
import { type NamedFunction, dynamicGraph } from '@attune/jit'
import { headFor, tokenLogits } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'
import { cacheDimensions, cacheShapes } from './cache-shapes.js'
import type { ExportedGraph } from './encoder-graph.js'
import { type ExportedModel, INFERENCE } from './exported-model.js'

const [NEW, PAST, ALL] = ['sequence_length', 'past_sequence_length', 'past_sequence_length + sequence_length']

/** Values by name with a prefix before each name. */
export const prefixed = <T>(prefix: string, all: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(all).map(([name, each]) => [prefix + name, each]))

/** Cache entries among the inputs of a graph, by their names in the cache. */
export const cacheIn = (inputs: Readonly<Record<string, Tensor>>, names: readonly string[], prefix: string): Cache =>
  Object.fromEntries(names.map((name) => [name, inputs[prefix + name]!]))

/** Forward pass that appends the new tokens to the cache among its inputs, whose entries have these names. */
const write =
  ({ model, task }: ExportedModel, names: readonly string[]): NamedFunction =>
  (params, given) => {
    const inputIds = given['input_ids']!
    const inputs = {
      inputIds,
      attentionMask: given['attention_mask']!,
      tokenTypeIds: inputIds,
      positionIds: given['position_ids']!,
      cache: cacheIn(given, names, 'past_key_values.'),
    }
    const { lastHiddenState, cache, tokenLogits: direct } = model.forward(params, inputs, INFERENCE)
    const logits = direct ?? tokenLogits(model, headFor(model, task), params, lastHiddenState)
    return { logits, ...prefixed('present.', cache as Cache) }
  }

/**
 * Graph of a decoder that appends the new tokens to a KV cache: `input_ids`, `attention_mask` (of the cache and the new
 * tokens), `position_ids` and `past_key_values.*` to the `logits` of the new tokens and `present.*`. The cache may be empty.
 */
export function decoderGraph(exported: ExportedModel): ExportedGraph {
  const [graph, shapes] = [dynamicGraph(), cacheShapes(exported.model)]
  const text = {
    input_ids: graph.input('input_ids', 'int64', ['batch_size', NEW]),
    attention_mask: graph.input('attention_mask', 'int64', ['batch_size', ALL]),
    position_ids: graph.input('position_ids', 'int64', ['batch_size', NEW]),
  }
  const past = Object.entries(shapes).map(([name, shape]) => {
    const full = `past_key_values.${name}`
    return [full, graph.input(full, 'float32', cacheDimensions(shape, PAST))] as const
  })
  const inputs = { ...text, ...Object.fromEntries(past) }
  return { graph, outputs: graph.trace(write(exported, Object.keys(shapes)), exported.params, inputs) }
}
