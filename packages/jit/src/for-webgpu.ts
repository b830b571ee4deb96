import { type Attribute, type Graph, type Node, type Value, copyNode, nodesOf } from './graph.js'

/** Transpose of the last two dimensions. Its id is negative, because those of traced values start at 0. */
function transposed(x: Value): Value {
  const axes = x.shape.map((_, axis) => axis)
  const perm = [...axes.slice(0, -2), ...axes.slice(-2).reverse()]
  const output = { id: -1 - x.id, dtype: x.dtype, shape: perm.map((axis) => x.shape[axis]!) }
  const attributes = { perm: { ints: perm } }
  return copyNode({ op: 'Transpose', domain: '', inputs: [x], attributes, outputs: [output] }, {}).outputs[0]!
}

/** Attributes of a node, with the body of a loop changed likewise. */
const withBody = ({ attributes }: Node): Readonly<Record<string, Attribute>> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, each]) => [name, 'body' in each ? { body: forWebgpu(each.body) } : each]),
  )

/**
 * Graph with standard ONNX operations instead of FusedMatMul, for which WebGPU has no kernel: those products, mostly
 * of gradients, would otherwise run on the CPU with a device transfer in each direction.
 */
export function forWebgpu<G extends Graph>({ inputs, outputs, ...rest }: G): G {
  const now = new Map<Value | undefined, Value>()
  const transposes = new Map<Value, Value>()
  const transposeOnce = (x: Value): Value => transposes.get(x) ?? transposes.set(x, transposed(x)).get(x)!
  const separate = ({ attributes }: Node, read: readonly Value[]): Partial<Node> => {
    if (read[0]!.shape.length === 2) return { op: 'Gemm', domain: '', inputs: read }
    const asked = (name: string): boolean => (attributes[name] as { int: number }).int === 1
    const operands = read.map((x, i) => (asked(i === 0 ? 'transA' : 'transB') ? transposeOnce(x) : x))
    return { op: 'MatMul', domain: '', attributes: {}, inputs: operands }
  }
  for (const node of nodesOf(outputs)) {
    const read = node.inputs.map((value) => now.get(value) ?? value)
    const made = copyNode(
      node,
      node.op === 'FusedMatMul' ? separate(node, read as Value[]) : { inputs: read, attributes: withBody(node) },
    )
    for (const [i, output] of node.outputs.entries()) now.set(output, made.outputs[i]!)
  }
  return { ...rest, inputs, outputs: outputs.map((output) => now.get(output) ?? output) } as Graph as G
}
