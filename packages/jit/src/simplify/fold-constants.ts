import { emptyValues } from '../builder.js'
import { type Graph, type Value, type Values, nodesOf, sizeOf } from '../graph.js'
import { openSession } from '../session.js'

/** Larger ones are left to be computed when the graph runs, for they would be kept with it. */
const MAXIMUM_SIZE = 1 << 20

/** Values that depend on constants alone and that something reads which does not, so that only they need be known. */
function frontier({ outputs }: Graph): readonly Value[] {
  const fixed = new Set<Value>()
  const isFixed = (value: Value | undefined): boolean =>
    value === undefined || value.constant !== undefined || fixed.has(value)
  const read = new Set<Value>(outputs)
  for (const node of nodesOf(outputs))
    if (node.inputs.every(isFixed)) for (const value of node.outputs) fixed.add(value)
    else for (const value of node.inputs) read.add(value!)
  // One number written out many times is cheaper as it is: what reads it takes the number alone.
  return [...read].filter(
    (value) => fixed.has(value) && value.node!.op !== 'Expand' && sizeOf(value.shape) <= MAXIMUM_SIZE,
  )
}

/** The numbers of what depends on constants alone, by value: computed once, by what would compute them at every run. */
export function foldConstants(graph: Graph): ReadonlyMap<Value, Values> {
  const outputs = frontier(graph)
  if (outputs.length === 0) return new Map()
  const session = openSession({ inputs: [], outputs }, { threads: 1 })
  const known = outputs.map((value) => [value, emptyValues(value.dtype, sizeOf(value.shape))] as const)
  session.run([], known)
  session.dispose()
  return new Map(known)
}
