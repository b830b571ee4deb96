import { emptyValues } from '../builder.js'
import { type Graph, type Value, type Values, nodesOf, sizeOf } from '../graph.js'
import { openSession } from '../session.js'

/** Maximum number of elements of a folded constant: larger ones are computed at every run instead of being stored. */
const MAXIMUM_SIZE = 1 << 20

/** Constant values that are read by non-constant nodes or are outputs: only these need to be folded. */
function frontier({ outputs }: Graph): readonly Value[] {
  const fixed = new Set<Value>()
  const isFixed = (value: Value | undefined): boolean =>
    value === undefined || value.constant !== undefined || fixed.has(value)
  const read = new Set<Value>(outputs)
  for (const node of nodesOf(outputs))
    if (node.inputs.every(isFixed)) for (const value of node.outputs) fixed.add(value)
    else for (const value of node.inputs) read.add(value!)
  // An expanded scalar remains unfolded, because its readers use the scalar itself.
  return [...read].filter(
    (value) => fixed.has(value) && value.node!.op !== 'Expand' && sizeOf(value.shape) <= MAXIMUM_SIZE,
  )
}

/** Constant folding: computes the values that depend only on constants, once, with ONNX Runtime. */
export function foldConstants(graph: Graph): ReadonlyMap<Value, Values> {
  const outputs = frontier(graph)
  if (outputs.length === 0) return new Map()
  const session = openSession({ inputs: [], outputs }, { threads: 1 })
  const known = outputs.map((value) => [value, emptyValues(value.dtype, sizeOf(value.shape))] as const)
  session.run([], known)
  session.dispose()
  return new Map(known)
}
