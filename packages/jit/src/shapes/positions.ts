import { SMALL } from '../builder.js'
import { type Graph, type Node, type Value, type Values, nodesOf, sameValues } from '../graph.js'
import type { Alignment } from './align.js'

/** Constants that nodes read, and all values with dimensions, in a fixed order. */
export interface Positions {
  readonly constants: readonly Value[]
  readonly values: readonly Value[]
}

/** Lists the positions of a graph, read from the aligned nodes of another graph if given. */
export function positionsIn(graph: Graph, inputs: readonly Value[] = graph.inputs, alignment?: Alignment): Positions {
  const nodes = nodesOf(graph.outputs).map((node) => alignment?.get(node) ?? node)
  const constants = nodes.flatMap(constantsOf)
  return { constants, values: [...inputs, ...constants, ...nodes.flatMap(({ outputs }) => outputs)] }
}

const constantsOf = ({ inputs }: Node): Value[] =>
  inputs.filter((value): value is Value => value?.constant !== undefined)

/** Returns the dimensions of all values. */
export const dimensionKeys = ({ values }: Positions): readonly string[] =>
  values.flatMap(({ shape }) => shape.map(String))

/** Names constants by their values: large arrays by the first equal one. */
export function constantNames(): (value: Value) => string {
  const distinct: Values[] = []
  const known = new WeakMap<Values, number>()
  const nameOf = (values: Values): number => {
    const found =
      known.get(values) ??
      distinct.findIndex((other) => other.constructor === values.constructor && sameValues(other, values))
    const name = found < 0 ? distinct.push(values) - 1 : found
    known.set(values, name)
    return name
  }
  return ({ dtype, shape, constant }) => {
    const values = constant!
    if (values.length > SMALL) return `large ${nameOf(values)} ${shape.join()}`
    const exact = Array.from(values as Float32Array, (n) => (Object.is(n, -0) ? '-0' : String(n)))
    return `${dtype} ${shape.join()} ${exact.join()}`
  }
}
