import type { Params } from '@attune/core'
import {
  type Tensor,
  add,
  cast,
  concat,
  expandDims,
  matMul,
  mul,
  reshape,
  reverse,
  squeeze,
  stack,
  sub,
  transpose,
  unstack,
  zeros,
} from '@tensorflow/tfjs-core'
import { parameter } from './parameter.js'
import { RECURRENT_CELLS, type RecurrentCell } from './recurrent-cell.js'

/** A layer of a recurrent module. */
export interface RecurrentOptions {
  readonly cell: keyof typeof RECURRENT_CELLS
  /** Index of the layer, from 0. Default: 0. */
  readonly layer?: number
  /** True to also read in reverse. Default: false. */
  readonly bidirectional?: boolean
}

/** Names of a parameter, one per direction. */
const namesOf = (name: string, part: string, { layer = 0, bidirectional = false }: RecurrentOptions): string[] =>
  (bidirectional ? ['', '_reverse'] : ['']).map((end) => `${name}.${part}_l${layer}${end}`)

/** Shapes of a layer's parameters, named as in torch.nn. */
export function recurrentShapes(
  name: string,
  inputSize: number,
  hiddenSize: number,
  options: RecurrentOptions,
): Record<string, readonly number[]> {
  const rows = RECURRENT_CELLS[options.cell].gates * hiddenSize
  const shapes = { weight_ih: [rows, inputSize], weight_hh: [rows, hiddenSize], bias_ih: [rows], bias_hh: [rows] }
  return Object.fromEntries(
    Object.entries(shapes).flatMap(([part, shape]) => namesOf(name, part, options).map((each) => [each, shape])),
  )
}

/** Unstacks a tensor along an axis, also if its size is 1, for which TF.js' gradient fails. */
export const splitAlong = (x: Tensor, axis: number): Tensor[] =>
  x.shape[axis] === 1 ? [squeeze(x, [axis])] : unstack(x, axis)

/** Time-major tensor in the reading order of a direction: the second direction reads in reverse. */
const inReadingOrder = (x: Tensor, direction: number): Tensor => (direction === 1 ? reverse(x, [0]) : x)

/** Splits `[batch, length, n]` of each direction into steps of `[directions, batch, n]`. */
const stepsOf = (each: readonly Tensor[]): Tensor[] => {
  const timeFirst = each.map((x, direction) => inReadingOrder(transpose(x, [1, 0, 2]), direction))
  return splitAlong(stack(timeFirst, 1), 0)
}

/** Input projections of all steps to the gates, one product per direction: `[batch, length, gates · hidden]`. */
function projected(cell: RecurrentCell, x: Tensor, of: (part: string) => Tensor[]): Tensor[] {
  const [batch, length, width] = x.shape as [number, number, number]
  const flat = reshape(x, [-1, width])
  const [weights, own, other] = [of('weight_ih'), of('bias_ih'), of('bias_hh')]
  return weights.map((weight, i) => {
    const bias = cell.ownBias ? own[i]! : add(own[i]!, other[i]!)
    return reshape(add(matMul(flat, weight, false, true), bias), [batch, length, weight.shape[0] as number])
  })
}

/**
 * One layer of a recurrent module of torch.nn: `x` `[batch, length, inputs]` to `states` `[batch, length, directions
 * · hidden]` and the `last` state, one tensor `[directions, batch, hidden]` per state of the cell. The initial state
 * is `begin`, of the same shapes, or zero. Where `mask` `[batch, length]` is 0, a step passes its state on unchanged
 * and outputs 0, as for packed sequences, so that padding on either side changes nothing and the second direction
 * starts at the last token. Steps are unrolled: the graph grows with `length`.
 */
export function recurrentLayer(
  params: Params,
  name: string,
  x: Tensor,
  mask: Tensor,
  options: RecurrentOptions,
  begin?: readonly Tensor[],
): { readonly states: Tensor; readonly last: readonly Tensor[] } {
  const cell = RECURRENT_CELLS[options.cell]
  const of = (part: string): Tensor[] => namesOf(name, part, options).map((each) => parameter(params, each))
  const weights = stack(of('weight_hh')) // [directions, gates · hidden, hidden]
  const [directions, , hidden] = weights.shape as [number, number, number]
  const bias = cell.ownBias ? expandDims(stack(of('bias_hh')), 1) : undefined // [directions, 1, gates · hidden]
  const inputs = stepsOf(projected(cell, x, of))
  const real = expandDims(cast(mask, 'float32'), 2) // [batch, length, 1]
  const [keep, skip] = [real, sub(1, real)].map((each) => stepsOf(Array.from({ length: directions }, () => each)))
  let state = begin ?? cell.state.map(() => zeros([directions, x.shape[0] as number, hidden]))
  const steps = inputs.map((input, t) => {
    const product = matMul(state[0]!, weights, false, true)
    const next = cell.step(input, bias === undefined ? product : add(product, bias), state)
    state = next.map((fresh, i) => add(mul(keep![t]!, fresh), mul(skip![t]!, state[i]!)))
    return state[0]!
  })
  const ways = splitAlong(stack(steps), 1).map(inReadingOrder) // [length, batch, hidden] each
  return { states: mul(transpose(concat(ways, 2), [1, 0, 2]), real), last: state }
}
