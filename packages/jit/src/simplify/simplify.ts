import { type Builder, SMALL, builder } from '../builder.js'
import { type Graph, type Node, type Value, type Values, nodesOf } from '../graph.js'
import { fusionRules } from './fusions.js'
import { foldConstants } from './fold-constants.js'
import type { Rule } from './rule.js'
import { scalarRules } from './scalars.js'
import { nanRules } from './without-nan.js'

const RULES: readonly Rule[] = [...nanRules, ...fusionRules, ...scalarRules]

/** Number of reads of each value, by nodes or as an output. */
function readCounts(nodes: readonly Node[], outputs: readonly Value[]): ReadonlyMap<Value, number> {
  const counts = new Map<Value, number>()
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...outputs])
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

/** Copies a constant to another graph. */
const constantIn = (b: Builder, { dtype, shape }: Value, numbers: Values): Value =>
  numbers.length > SMALL
    ? b.array(dtype, numbers, shape)
    : b.constant(dtype, Array.from(numbers as Float32Array, Number), shape)

/**
 * Simplifies a graph to fewer and cheaper operations. Nodes are visited in order; each is written to a new graph by
 * the first rule that applies, or unchanged. Dead nodes are dropped when the graph is encoded. Sums and products are
 * reordered, so results differ in their last bits.
 * @param folded values of constant operations. Default: computed with ONNX Runtime
 */
export function simplify(
  { inputs, outputs }: Graph,
  folded: ReadonlyMap<Value, Values> = foldConstants({ inputs, outputs }),
): Graph {
  const b = builder()
  const nodes = nodesOf(outputs)
  const counts = readCounts(nodes, outputs)
  const now = new Map<Value, Value>(inputs.map((value) => [value, b.input(value)]))
  const renewed = (value: Value): Value => {
    const found = now.get(value)
    if (found !== undefined) return found
    const constant = constantIn(b, value, folded.get(value) ?? value.constant!)
    now.set(value, constant)
    return constant
  }
  for (const node of nodes) {
    const given = node.inputs.map((value) => (value === undefined ? undefined : renewed(value)))
    const sole = node.inputs.map((value) => value !== undefined && counts.get(value) === 1)
    const site = { b, node, inputs: given as Value[], sole }
    let made: readonly Value[] | undefined
    for (const rule of RULES) made ??= rule(site)
    made ??= b.nodes(node.op, given, node.outputs, node)
    for (const [i, value] of node.outputs.entries()) if (!folded.has(value)) now.set(value, made[i]!)
  }
  return { inputs: inputs.map((value) => now.get(value)!), outputs: outputs.map(renewed) }
}
