import { type Graph, type Node, type Value, nodesOf, sameShape } from './graph.js'

/** Operations whose output may share the memory of their input: readers of the one are readers of the other. */
const VIEWS = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten'])

/** Elementwise operations that read each input value before they write the output value at the same index. */
const IN_PLACE = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sqrt', 'Neg', 'Max', 'Min', ...VIEWS])

/**
 * True if a node may write its output over `input`. ScatterND starts with a copy of its first input, which is skipped
 * if both share memory; it reads its other inputs throughout.
 */
const mayOverwrite = ({ op, inputs }: Node, input: Value): boolean =>
  IN_PLACE.has(op) || (op === 'ScatterND' && inputs[0] === input && !inputs.includes(input, 1))

function ancestorsOf(node: Node): ReadonlySet<Node> {
  const seen = new Set<Node>()
  const waiting = [node]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
    for (const input of next.inputs)
      if (input?.node !== undefined && !seen.has(input.node)) {
        seen.add(input.node)
        waiting.push(input.node)
      }
  return seen
}

/** Nodes that read each value, directly or through views of it. */
function readersOf(graph: Graph): (value: Value) => readonly Node[] {
  const direct = new Map<Value, Node[]>()
  for (const node of nodesOf(graph.outputs))
    for (const input of node.inputs) if (input !== undefined) direct.set(input, [...(direct.get(input) ?? []), node])
  const readers = (value: Value): readonly Node[] =>
    (direct.get(value) ?? []).flatMap((node) => (VIEWS.has(node.op) ? [node, ...readers(node.outputs[0]!)] : [node]))
  return readers
}

/**
 * Buffer donation: the outputs that may be written over donated inputs. The node of the output must run after all
 * readers of the input, or be its last reader and elementwise. Candidates are tried in the given order.
 * @returns the input that each output overwrites, if any
 */
export function aliasesOf(graph: Graph, given: readonly Value[]): ReadonlyMap<Value, Value> {
  const readers = readersOf(graph)
  const aliases = new Map<Value, Value>()
  const free = new Set(given)
  for (const output of graph.outputs) {
    const { node } = output
    if (node === undefined) continue
    let before: ReadonlySet<Node> | undefined
    for (const input of free) {
      if (input.dtype !== output.dtype || !sameShape(input.shape, output.shape)) continue
      before ??= ancestorsOf(node)
      const last = readers(input)
      const safe = last.every((reader) => before!.has(reader) || (reader === node && mayOverwrite(node, input)))
      if (!safe || graph.outputs.includes(input) || viewed(input, readers, graph)) continue
      aliases.set(output, input)
      free.delete(input)
      break
    }
  }
  return aliases
}

/** True if an output of the graph is a view of an input. */
const viewed = (input: Value, readers: (value: Value) => readonly Node[], { outputs }: Graph): boolean =>
  readers(input).some((node) => VIEWS.has(node.op) && node.outputs.some((output) => outputs.includes(output)))
