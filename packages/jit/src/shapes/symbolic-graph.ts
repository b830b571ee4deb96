import { type Graph, type Node, type Value, copyNode, nodesOf } from '../graph.js'
import type { Dimensions } from '../onnx-model.js'
import type { Classes } from './classes.js'
import { positionsIn } from './positions.js'

/** A graph for several shapes. */
export interface SymbolicGraph {
  /** The graph; its last inputs are the constants that differ between shapes. */
  readonly graph: Graph
  /** Input for each class of constants that differ. */
  readonly parameters: ReadonlyMap<number, Value>
  readonly dimensions: Dimensions
}

/** Names or sizes of the dimensions of each value, by id. */
function dimensionsById(values: readonly Value[], { of, key, varies }: Classes) {
  let at = 0
  return new Map(
    values.map(({ id, shape }) => [
      id,
      shape.map(() => {
        const kind = of[at++]!
        return varies[kind]! ? `d${kind}` : Number(key[kind])
      }),
    ]),
  )
}

/** Makes inputs of the constants that differ between shapes, and names the dimensions that do. */
export function symbolicGraph(graph: Graph, constants: Classes, dimensions: Classes): SymbolicGraph {
  const positions = positionsIn(graph)
  const byId = dimensionsById(positions.values, dimensions)
  const parameters = new Map<number, Value>()
  let id = Math.max(...byId.keys())
  for (const [kind, first] of constants.first.entries()) {
    if (!constants.varies[kind]!) continue
    const { dtype, shape, id: replaced } = positions.constants[first]!
    parameters.set(kind, { id: ++id, dtype, shape })
    byId.set(id, byId.get(replaced)!)
  }
  let at = 0
  const now = new Map<Value | undefined, Value>()
  const renew = (value: Value | undefined): Value | undefined =>
    value?.constant === undefined ? (now.get(value) ?? value) : (parameters.get(constants.of[at++]!) ?? value)
  for (const node of nodesOf(graph.outputs)) {
    const made: Node = copyNode(node, { inputs: node.inputs.map(renew) })
    for (const [i, output] of node.outputs.entries()) now.set(output, made.outputs[i]!)
  }
  return {
    graph: {
      inputs: [...graph.inputs, ...parameters.values()],
      outputs: graph.outputs.map((output) => now.get(output) ?? output),
    },
    parameters,
    dimensions: (value) => byId.get(value.id) ?? value.shape,
  }
}
