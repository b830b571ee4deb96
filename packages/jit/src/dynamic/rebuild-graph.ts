import type { Builder } from '../builder.js'
import type { Node, Value } from '../graph.js'
import { transpose } from '../lower/lowering.js'
import { type Expression, constantExpression, constantOf, sameExpression } from './expression.js'
import {
  type MatchedInput,
  type MatchedNode,
  type MatchedTraces,
  type SizedTrace,
  cannotExport,
} from './match-traces.js'
import type { ShapeArithmetic } from './shape-arithmetic.js'
import { fitElements, sizedConstant } from './sized-constant.js'

/** A graph that is rebuilt from matched traces. */
interface Rebuilding {
  readonly b: Builder
  readonly traces: readonly SizedTrace[]
  readonly matched: MatchedTraces
  readonly sizes: ShapeArithmetic
  /** Value in the new graph of each value of the first trace. */
  readonly now: Map<Value, Value>
}

/** End of a slice that reaches the end of its dimension, whatever its size. */
const TO_THE_END = 2 ** 31 - 1

const valueOf = ({ b, traces, sizes, now }: Rebuilding, input: MatchedInput): Value | undefined => {
  if (input === undefined) return undefined
  return 'source' in input ? now.get(input.source)! : sizedConstant(b, traces, input.constants, sizes)
}

const dimensionsOf = ({ matched }: Rebuilding, input: MatchedInput): readonly Expression[] =>
  input === undefined || 'constants' in input ? [] : matched.dimensionsOf(input.source)

/** Integers of a constant input, as expressions of the sizes. */
function integersOf({ traces }: Rebuilding, input: MatchedInput, op: string): readonly Expression[] {
  const found = input !== undefined && 'constants' in input ? fitElements(traces, input.constants) : undefined
  if (found !== undefined) return found
  throw cannotExport(`the sizes of an operation ${op} are not sums of products of the sizes of the inputs`)
}

/** A reshape that computes as few dimensions as possible. */
function reshaped(to: Rebuilding, { node, inputs: [x] }: MatchedNode): readonly Value[] {
  const target = to.sizes.target(dimensionsOf(to, x), to.matched.dimensionsOf(node.outputs[0]!))
  return to.b.nodes('Reshape', [valueOf(to, x), target], node.outputs)
}

/** A slice. An end that is the size of its dimension becomes a large constant. */
function sliced(to: Rebuilding, { node, inputs: [x, starts, ends, axes, steps] }: MatchedNode): readonly Value[] {
  const dimensions = dimensionsOf(to, x)
  const [given, along, strides] = [ends, axes, steps].map((input) => integersOf(to, input, 'Slice')) as [
    readonly Expression[],
    readonly Expression[],
    readonly Expression[],
  ]
  const open = given.map((end, i) => {
    const size = dimensions[constantOf(along[i]!)!]
    const reaches = size !== undefined && constantOf(strides[i]!) === 1 && sameExpression(size, end)
    return reaches && constantOf(end) === undefined ? constantExpression(TO_THE_END) : end
  })
  const others = [starts, axes, steps].map((input) => valueOf(to, input))
  return to.b.nodes('Slice', [valueOf(to, x), others[0], to.sizes.vector(open), ...others.slice(1)], node.outputs)
}

/** A matrix product with standard operations, for runtimes without FusedMatMul. */
function product(b: Builder, { attributes, outputs }: Node, [left, right]: readonly Value[]): readonly Value[] {
  const isAsked = (name: string): boolean => (attributes[name] as { readonly int: number }).int === 1
  if (left!.shape.length === 2) return b.nodes('Gemm', [left, right], outputs, { attributes })
  const turned = (x: Value, by: boolean): Value => {
    const axes = x.shape.map((_, axis) => axis)
    return by ? transpose(b, x, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]) : x
  }
  return b.nodes('MatMul', [turned(left!, isAsked('transA')), turned(right!, isAsked('transB'))], outputs)
}

function rebuildNode(to: Rebuilding, matched: MatchedNode, isRead: (value: Value) => boolean): readonly Value[] {
  const { node, inputs } = matched
  if (node.op === 'Reshape') return reshaped(to, matched)
  if (node.op === 'Slice') return sliced(to, matched)
  const given = inputs.map((input) => valueOf(to, input))
  if (node.op === 'FusedMatMul') return product(to.b, node, given as Value[])
  // Optional outputs of LayerNormalization, which some runtimes lack.
  const last = node.outputs.findLastIndex(isRead)
  return to.b.nodes(node.op, given, node.outputs.slice(0, last + 1), node)
}

/**
 * Rebuilds matched traces as one graph in which all that depends on the sizes is computed from those of the inputs.
 * @returns the outputs
 */
export function rebuildGraph(to: Rebuilding): readonly Value[] {
  const { matched, now } = to
  const all = [...matched.nodes.flatMap(({ inputs }) => inputs), ...matched.outputs]
  const read = new Set(all.map((input) => (input !== undefined && 'source' in input ? input.source : undefined)))
  for (const each of matched.nodes) {
    const made = rebuildNode(to, each, (value) => read.has(value))
    for (const [i, value] of made.entries()) now.set(each.node.outputs[i]!, value)
  }
  return matched.outputs.map((output) => valueOf(to, output)!)
}
