/** Element types of a graph. TF.js knows the first three; the others are for indices, bits and packed weights. */
export type ElementType = 'float32' | 'int32' | 'bool' | 'int64' | 'uint8' | 'uint32' | 'float16'

/** Values of a constant, in row-major order. Those of float16 are their bits. */
export type Values = Float32Array | Int32Array | Uint8Array | BigInt64Array | Uint32Array | Uint16Array

/** Attribute of a node: integer, float, string, integers, the results of a branch of a condition, or the body of a loop. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly branch: readonly Value[] }
  | { readonly body: Body }

/** Edge of the graph: a tensor of known shape, whose values are known before or during a run. */
export interface Value {
  readonly id: number
  readonly dtype: ElementType
  readonly shape: readonly number[]
  /** Node that computes it; undefined for inputs and constants. */
  readonly node?: Node
  /** Values, if known while the graph is built. */
  readonly constant?: Values
}

/** ONNX operation. All operations are pure: equal inputs yield equal outputs. */
export interface Node {
  readonly op: string
  /** Empty for standard ONNX operations, `com.microsoft` for those of ONNX Runtime. */
  readonly domain: string
  readonly inputs: readonly (Value | undefined)[]
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly outputs: readonly Value[]
}

/** Function as a graph. Inputs are in the order of the function's leaves. */
export interface Graph {
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
}

/** Body of a loop: a graph without values of the outer graph. Bodies are compared by their JSON, which has no ids of values. */
export interface Body extends Graph {
  /** Number of inputs, the last ones, that are the same in every iteration. */
  readonly captured: number
  toJSON(): string
}

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i])

/** True if two arrays hold the same numbers; NaN equals itself, and 0 differs from −0. */
export const sameValues = (a: Values, b: Values): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false
  return true
}

/** True if two nodes are the same operation with the same attributes and numbers of inputs and outputs. */
export const sameOperation = (a: Node, b: Node): boolean =>
  a.op === b.op &&
  a.domain === b.domain &&
  a.inputs.length === b.inputs.length &&
  a.outputs.length === b.outputs.length &&
  JSON.stringify(a.attributes) === JSON.stringify(b.attributes)

/** Results of the branches of a condition. */
export const branchesOf = ({ attributes }: Pick<Node, 'attributes'>): readonly (readonly Value[])[] =>
  Object.values(attributes).flatMap((each) => ('branch' in each ? [each.branch] : []))

/** Copy of a node with changes. Its outputs keep their ids. */
export function copyNode(node: Node, changes: Partial<Node>): Node {
  const outputs: Value[] = []
  const made: Node = { ...node, ...changes, outputs }
  for (const output of node.outputs) outputs.push({ ...output, node: made })
  return made
}

/** All nodes that outputs depend on, in topological order, without those of branches. */
export function nodesOf(outputs: readonly Value[]): readonly Node[] {
  const done = new Set<Node>()
  const order: Node[] = []
  const stack: { readonly node: Node; next: number }[] = []
  const enter = (value: Value | undefined): void => {
    if (value?.node === undefined || done.has(value.node)) return
    done.add(value.node)
    stack.push({ node: value.node, next: 0 })
  }
  for (const output of outputs) {
    enter(output)
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1))
      if (top.next < top.node.inputs.length) enter(top.node.inputs[top.next++])
      else order.push(stack.pop()!.node)
  }
  return order
}
