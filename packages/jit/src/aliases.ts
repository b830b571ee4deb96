import { type Graph, type Node, type Value, nodesOf, sameShape } from './graph.js'

/** Operations whose output may lie where their input lies: what reads the one reads the other. */
const VIEWS = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten'])

/** Operations that read a number of an input before they write the number at the same place, and read it no more. */
const IN_PLACE = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sqrt', 'Neg', 'Max', 'Min', ...VIEWS])

/**
 * Whether a node may write its output where it reads `input`. ScatterND begins with a copy of its first input, which falls
 * away where it lies there already; the others it reads all along.
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

/** The nodes that read each value, through views of it too. */
function readersOf(graph: Graph): (value: Value) => readonly Node[] {
  const direct = new Map<Value, Node[]>()
  for (const node of nodesOf(graph.outputs))
    for (const input of node.inputs) if (input !== undefined) direct.set(input, [...(direct.get(input) ?? []), node])
  const readers = (value: Value): readonly Node[] =>
    (direct.get(value) ?? []).flatMap((node) => (VIEWS.has(node.op) ? [node, ...readers(node.outputs[0]!)] : [node]))
  return readers
}

/**
 * Which outputs may be written where an input lies that is given up: those made by a node that comes after all that read
 * the input, or that is the last reader itself and works number by number. Candidates are tried in the order given.
 * @returns for each output the input whose place it takes, if any
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

/** Whether an output of the graph is a view of an input. */
const viewed = (input: Value, readers: (value: Value) => readonly Node[], { outputs }: Graph): boolean =>
  readers(input).some((node) => VIEWS.has(node.op) && node.outputs.some((output) => outputs.includes(output)))
