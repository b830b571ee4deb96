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
  stack,
  sub,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core'
import { scan } from '../engine/scan.js'
import { splitAlong } from '../engine/split-along.js'
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

/** Time-major tensor in the reading order of a direction: the second direction reads in reverse. */
const inReadingOrder = (x: Tensor, direction: number): Tensor => (direction === 1 ? reverse(x, [0]) : x)

/** Arranges `[batch, length, n]` of each direction as `[length, directions, batch, n]`. */
const timeFirst = (each: readonly Tensor[]): Tensor =>
  stack(
    each.map((x, direction) => inReadingOrder(transpose(x, [1, 0, 2]), direction)),
    1,
  )

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
 * starts at the last token. The steps are a {@link scan}: a compiled graph does not grow with `length`.
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
  const inputs = timeFirst(projected(cell, x, of))
  const real = expandDims(cast(mask, 'float32'), 2) // [batch, length, 1]
  const [keep, skip] = [real, sub(1, real)].map((each) => timeFirst(Array.from({ length: directions }, () => each)))
  const { carry, outputs } = scan(
    {
      carry: begin ?? cell.state.map(() => zeros([directions, x.shape[0] as number, hidden])),
      inputs: [inputs, keep!, skip!],
      constants: bias === undefined ? [weights] : [weights, bias],
    },
    (state, [input, kept, skipped], [own, ownBias]) => {
      const product = matMul(state[0]!, own!, false, true)
      const next = cell.step(input!, ownBias === undefined ? product : add(product, ownBias), state)
      const passed = next.map((fresh, i) => add(mul(kept!, fresh), mul(skipped!, state[i]!)))
      return { carry: passed, outputs: [passed[0]!] }
    },
  )
  const ways = splitAlong(outputs[0]!, 1).map(inReadingOrder) // [length, batch, hidden] each
  return { states: mul(transpose(concat(ways, 2), [1, 0, 2]), real), last: carry }
}
