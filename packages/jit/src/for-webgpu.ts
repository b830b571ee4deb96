import { type Graph, type Node, type Value, nodesOf } from './graph.js'

/** A node with changes. Its outputs keep their names. */
function remade(node: Node, changes: Partial<Node>): Node {
  const outputs: Value[] = []
  const made: Node = { ...node, ...changes, outputs }
  for (const output of node.outputs) outputs.push({ ...output, node: made })
  return made
}

/** A matrix, or several, transposed. Its name is none that a recorded value has: theirs begin at 0. */
function transposed(x: Value): Value {
  const axes = x.shape.map((_, axis) => axis)
  const perm = [...axes.slice(0, -2), ...axes.slice(-2).reverse()]
  const output = { id: -1 - x.id, dtype: x.dtype, shape: perm.map((axis) => x.shape[axis]!) }
  const attributes = { perm: { ints: perm } }
  return remade({ op: 'Transpose', domain: '', inputs: [x], attributes, outputs: [output] }, {}).outputs[0]!
}

/**
 * The graph with operations of ONNX itself in the place of FusedMatMul. WebGPU has no kernel for that, and the processor
 * would compute those products, most of all gradients, each with copies there and back.
 */
export function forWebgpu({ inputs, outputs }: Graph): Graph {
  const now = new Map<Value | undefined, Value>()
  const turned = new Map<Value, Value>()
  const turn = (x: Value): Value => turned.get(x) ?? turned.set(x, transposed(x)).get(x)!
  const separate = ({ attributes }: Node, read: readonly Value[]): Partial<Node> => {
    if (read[0]!.shape.length === 2) return { op: 'Gemm', domain: '', inputs: read }
    const asked = (name: string): boolean => (attributes[name] as { int: number }).int === 1
    const operands = read.map((x, i) => (asked(i === 0 ? 'transA' : 'transB') ? turn(x) : x))
    return { op: 'MatMul', domain: '', attributes: {}, inputs: operands }
  }
  for (const node of nodesOf(outputs)) {
    const read = node.inputs.map((value) => now.get(value) ?? value)
    const made = remade(node, node.op === 'FusedMatMul' ? separate(node, read as Value[]) : { inputs: read })
    for (const [i, output] of node.outputs.entries()) now.set(output, made.outputs[i]!)
  }
  return { inputs, outputs: outputs.map((output) => now.get(output) ?? output) }
}
