import { type Value, nodesOf } from '../graph.js'

/**
 * Orders the terms of a sum by decreasing depth. ONNX Runtime starts a sum with its last term: if that one is
 * shallow, each term is added, and its intermediates freed, before the next one is computed. In the sum of squares of
 * all gradients, this processes layers from last to first; otherwise the intermediates of the gradients of many
 * layers would be in memory at the same time.
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
