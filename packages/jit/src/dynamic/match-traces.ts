import { AttuneError } from '@attune/core'
import { type Graph, type Node, type Value, nodesOf, sameOperation } from '../graph.js'
import { type Expression, type Sizes, fitExpression } from './expression.js'

/** Graph of a function that was traced with certain sizes of its dynamic axes. */
export interface SizedTrace {
  readonly sizes: Sizes
  readonly graph: Graph
}

/** Input of a node in all traces: the same input of the graph or output of a node, or a constant of each trace. */
export type MatchedInput = { readonly source: Value } | { readonly constants: readonly Value[] } | undefined

/** A node in all traces. */
export interface MatchedNode {
  /** Node of the first trace. */
  readonly node: Node
  readonly inputs: readonly MatchedInput[]
}

/** Traces as one graph. */
export interface MatchedTraces {
  readonly nodes: readonly MatchedNode[]
  readonly outputs: readonly MatchedInput[]
  /** Dimensions of a value of the first trace. */
  dimensionsOf(value: Value): readonly Expression[]
}

/** Error of a function whose graphs for different sizes cannot be one graph. */
export const cannotExport = (why: string): AttuneError =>
  new AttuneError(
    'CANNOT_EXPORT',
    `the model cannot be exported to one ONNX graph for all sizes: ${why}`,
    'Use it with Attune itself, or export a model of another family (bert, gpt2, llama, bart, t5, …).',
  )

/** Axes whose sizes differ. */
const changed = (a: Sizes, b: Sizes): string =>
  Object.keys(a)
    .filter((axis) => a[axis] !== b[axis])
    .join(' and ')

/** Position of every input and node output in its trace. */
function positionsOf(inputs: readonly Value[], nodes: readonly Node[]): ReadonlyMap<Value, string> {
  const own = inputs.map((value, i) => [value, `input ${i}`] as const)
  return new Map([
    ...own,
    ...nodes.flatMap(({ outputs }, i) => outputs.map((value, j) => [value, `${i} ${j}`] as const)),
  ])
}

function requireSameNodes(traces: readonly SizedTrace[], all: readonly (readonly Node[])[]): void {
  const [first] = all as [readonly Node[]]
  for (const [t, nodes] of all.entries()) {
    const at = first.findIndex((node, i) => nodes[i] === undefined || !sameOperation(nodes[i], node))
    if (at < 0 && nodes.length === first.length) continue
    const [one, other] = [first[at]?.op ?? 'nothing', nodes[at < 0 ? first.length : at]?.op ?? 'nothing']
    const how = one === other ? `${one} has other attributes` : `${one} becomes ${other}`
    throw cannotExport(`its operations depend on ${changed(traces[t]!.sizes, traces[0]!.sizes)} (${how})`)
  }
}

/** Matches an input of a node, or an output of the graph, given its value in each trace. */
function matchInput(
  values: readonly (Value | undefined)[],
  positions: readonly ReadonlyMap<Value, string>[],
  where: string,
): MatchedInput {
  const [first] = values
  if (values.every((value) => value === undefined)) return undefined
  const found = values.map((value, t) => value && positions[t]!.get(value))
  if (first !== undefined && found[0] !== undefined && found.every((position) => position === found[0]))
    return { source: first }
  if (found.every((position) => position === undefined) && values.every((value) => value?.constant !== undefined))
    return { constants: values as readonly Value[] }
  throw cannotExport(`an input of ${where} is not the same for all sizes`)
}

/**
 * Matches the traces of a function node by node.
 * @param traces one for each of the sample points, in their order
 * @throws AttuneError `CANNOT_EXPORT` if the operations depend on the sizes
 */
export function matchTraces(traces: readonly SizedTrace[]): MatchedTraces {
  const all = traces.map(({ graph }) => nodesOf(graph.outputs))
  requireSameNodes(traces, all)
  const positions = traces.map(({ graph }, t) => positionsOf(graph.inputs, all[t]!))
  const alike = new Map<Value, readonly Value[]>()
  const note = (values: readonly Value[]): void => void alike.set(values[0]!, values)
  for (const i of traces[0]!.graph.inputs.keys()) note(traces.map(({ graph }) => graph.inputs[i]!))
  for (const [i, { outputs }] of all[0]!.entries())
    for (const j of outputs.keys()) note(all.map((nodes) => nodes[i]!.outputs[j]!))

  const match = (values: readonly (Value | undefined)[], where: string): MatchedInput =>
    matchInput(values, positions, where)
  const nodes = all[0]!.map((node, i): MatchedNode => ({
    node,
    inputs: node.inputs.map((_, j) =>
      match(
        all.map((each) => each[i]!.inputs[j]),
        `the operation ${node.op}`,
      ),
    ),
  }))
  const outputs = traces[0]!.graph.outputs.map((_, i) =>
    match(
      traces.map(({ graph }) => graph.outputs[i]!),
      'the results',
    ),
  )
  const dimensionsOf = (value: Value): readonly Expression[] =>
    dimensions(
      traces,
      (alike.get(value) ?? traces.map(() => value)).map(({ shape }) => shape),
    )
  return { nodes, outputs, dimensionsOf }
}

/** Expressions of the dimensions of a value with these shapes in the traces. */
export function dimensions(
  traces: readonly Pick<SizedTrace, 'sizes'>[],
  shapes: readonly (readonly number[])[],
): readonly Expression[] {
  return shapes[0]!.map((_, i) => {
    const samples = traces.map(({ sizes }, t) => ({ sizes, value: shapes[t]![i]! }))
    const found = fitExpression(samples)
    if (found !== undefined) return found
    throw cannotExport(
      `a dimension is ${shapes.map((shape) => shape[i]).join(', ')}, which is not a sum of products of sizes`,
    )
  })
}
