import { type Graph, type Node, type Value, sameOperation } from '../graph.js'

/** Nodes of another graph that compute the same as those of a graph, for other shapes. */
export type Alignment = ReadonlyMap<Node, Node>

const isSameKind = (a: Value, b: Value): boolean => a.dtype === b.dtype && a.shape.length === b.shape.length

/** Position of each input. */
const positionsOf = ({ inputs }: Graph): ReadonlyMap<Value, number> => new Map(inputs.map((value, i) => [value, i]))

/**
 * Aligns two graphs of one function, traced for different shapes: walks both from their outputs and pairs their nodes.
 * Several nodes may be paired with one, if dimensions happen to be equal in the other graph, so that it computes two
 * values as one.
 * @returns undefined if they differ in more than constants and shapes
 */
export function align(graph: Graph, other: Graph): Alignment | undefined {
  if (graph.inputs.length !== other.inputs.length || graph.outputs.length !== other.outputs.length) return undefined
  const [own, theirs] = [positionsOf(graph), positionsOf(other)]
  const pairs = new Map<Node, Node>()
  const waiting: Node[] = []

  const pairNodes = (a: Node, b: Node): boolean => {
    const paired = pairs.get(a)
    if (paired !== undefined) return paired === b
    if (!sameOperation(a, b)) return false
    pairs.set(a, b)
    waiting.push(a)
    return true
  }

  const pairValues = (a: Value | undefined, b: Value | undefined): boolean => {
    if (a === undefined || b === undefined) return a === b
    if (!isSameKind(a, b)) return false
    if (a.node !== undefined && b.node !== undefined)
      return a.node.outputs.indexOf(a) === b.node.outputs.indexOf(b) && pairNodes(a.node, b.node)
    if (a.constant !== undefined || b.constant !== undefined)
      return a.constant !== undefined && b.constant !== undefined
    return a.node === b.node && own.get(a) === theirs.get(b)
  }

  const pairAll = (a: readonly (Value | undefined)[], b: readonly (Value | undefined)[]): boolean =>
    a.every((value, i) => pairValues(value, b[i]))

  if (!pairAll(graph.inputs, other.inputs) || !pairAll(graph.outputs, other.outputs)) return undefined
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop())
    if (!pairAll(node.inputs, pairs.get(node)!.inputs)) return undefined
  return pairs
}
