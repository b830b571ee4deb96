import { type Value, nodesOf } from '../graph.js'

/**
 * Values in the order in which they are to be added up. ONNX Runtime begins a sum with what comes last: where that needs
 * little to be computed before it, each term is added, and what it was made of freed, before the next one is made. In the sum
 * of the squares of all gradients these are the layers from the last to the first; else memory would hold what the gradients
 * of many layers are made of.
 */
export function deepestFirst(values: readonly Value[]): readonly Value[] {
  const depths = new Map<unknown, number>()
  const depthOf = ({ node }: Value): number => depths.get(node) ?? 0
  for (const node of nodesOf(values))
    depths.set(
      node,
      node.inputs.reduce((most, input) => Math.max(most, input === undefined ? 0 : depthOf(input)), 0) + 1,
    )
  return values.toSorted((a, b) => depthOf(b) - depthOf(a))
}
