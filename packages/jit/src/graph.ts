/** The element types that occur in a graph. TF.js knows the first three; the others are for indices and bits. */
export type ElementType = 'float32' | 'int32' | 'bool' | 'int64' | 'uint8' | 'uint32'

/** The numbers of a constant, in row-major order. */
export type Values = Float32Array | Int32Array | Uint8Array | BigInt64Array | Uint32Array

/** An attribute of a node: a whole number, a real one, a text or whole numbers. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }

/** One edge of the graph: a tensor of known shape, of which the numbers are known when the graph runs, or before. */
export interface Value {
  readonly id: number
  readonly dtype: ElementType
  readonly shape: readonly number[]
  /** What makes it; absent for inputs and constants. */
  readonly node?: Node
  /** Its numbers, where they are known while the graph is made. */
  readonly constant?: Values
}

/** One operation of ONNX. All operations are pure: the same inputs give the same outputs. */
export interface Node {
  readonly op: string
  /** Empty for ONNX' own operations, `com.microsoft` for ONNX Runtime's. */
  readonly domain: string
  readonly inputs: readonly (Value | undefined)[]
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly outputs: readonly Value[]
}

/** A function as a graph: outputs of inputs. Inputs are in the order of the function's leaves. */
export interface Graph {
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
}

/** The product of a shape: how many numbers there are. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i])

/** All nodes that outputs depend on, each after those that it depends on. */
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
