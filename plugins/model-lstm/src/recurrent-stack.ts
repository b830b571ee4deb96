import type { Cache, Mode, Params } from '@attune/core'
import {
  type LayerContext,
  RECURRENT_CELLS,
  type StackOutputs,
  dropout,
  layerStack,
  recurrentLayer,
  recurrentShapes,
} from '@attune/nn'
import { type Tensor, expandDims, squeeze, zeros } from '@tensorflow/tfjs-core'
import type { Options } from './options.js'

/** A stack of recurrent layers. */
export interface Recurrence {
  /** Prefix of its parameter names, without the dot at the end. */
  readonly name: string
  readonly bidirectional: boolean
}

/** Shapes of the parameters of a stack, named as in torch.nn. */
export function stackShapes(o: Options, { name, bidirectional }: Recurrence): Record<string, readonly number[]> {
  const above = (bidirectional ? 2 : 1) * o.hiddenSize
  const layers = Array.from({ length: o.layers }, (_, layer) =>
    recurrentShapes(name, layer === 0 ? o.embeddingSize : above, o.hiddenSize, { cell: o.cell, layer, bidirectional }),
  )
  return Object.assign({}, ...layers)
}

/** Names of the recurrent states of all layers, in the order of the initial states of a stack. */
const stateNames = (o: Options): string[] =>
  Array.from({ length: o.layers }, (_, i) => RECURRENT_CELLS[o.cell].state.map((name) => `${i}.${name}`)).flat()

/** The number of recurrent states of a stack. */
export const stateCount = (o: Options): number => stateNames(o).length

/** The states in a cache, `[batch, hidden]` each. */
export const statesOf = (o: Options, cache: Cache): Tensor[] => stateNames(o).map((name) => cache[name]!)

/** An empty cache: the zero state of each layer, `[batch, hidden]`. */
export const emptyStates = (o: Options, batch: number): Cache =>
  Object.fromEntries(stateNames(o).map((name) => [name, zeros([batch, o.hiddenSize])])) as Cache

/** Inputs of a stack. */
export interface StackInputs {
  /** `[batch, length, embedding]`. */
  readonly x: Tensor
  /** 1 for each token and 0 for padding, `[batch, length]`. */
  readonly mask: Tensor
  /** Initial states, `[batch, hidden]` each; for one direction only. Default: zeros. */
  readonly begin?: readonly Tensor[] | undefined
  /** True if the final states are to be returned. */
  readonly cached: boolean
}

/** Applies a stack, with dropout between its layers. */
export function recurrentStack(
  o: Options,
  { name, bidirectional }: Recurrence,
  params: Params,
  { x, mask, begin = [], cached }: StackInputs,
  mode: Mode,
): StackOutputs {
  const names = RECURRENT_CELLS[o.cell].state
  const layer = (own: Params, y: Tensor, [real, ...starts]: readonly Tensor[], c: LayerContext): Tensor => {
    const from = starts.slice(c.index * names.length, (c.index + 1) * names.length)
    const read = c.index === 0 ? y : dropout(y, o.dropout, c.mode)
    const which = { cell: o.cell, layer: c.index, bidirectional }
    const start = from.length === 0 ? undefined : from.map((state) => expandDims(state, 0))
    const { states, last } = recurrentLayer(own, name, read, real!, which, start)
    if (cached) names.forEach((state, i) => c.updateCache?.(state, squeeze(last[i]!, [0])))
    return states
  }
  return layerStack(params, x, [mask, ...begin], mode, { count: o.layers, at: () => name, layer }, cached)
}
