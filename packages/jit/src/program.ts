import { type Hosted } from './backend.js'
import { aliasesOf } from './aliases.js'
import { emptyValues } from './builder.js'
import { type Graph, type Value, type Values, nodesOf, sizeOf } from './graph.js'
import { simplify } from './simplify/simplify.js'
import { type Feed, type Session, type SessionOptions, openSession } from './session.js'

/** A recorded function: its graph, and the inputs that the host computes. */
export interface Recorded extends Graph {
  readonly hosted: readonly Hosted[]
}

/** An argument: its numbers, and whether they may be overwritten. */
export interface Argument {
  readonly values: Values
  readonly owned: boolean
}

/** A recorded function made ready to run. */
export interface Program {
  readonly graph: Graph
  /** The leaves of the arguments, and those of the result; one that is both is passed on, not computed. */
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** The numbers of the outputs. Those of an argument that is owned may have become an output's. */
  run(given: readonly Argument[]): readonly Values[]
  endProfiling(): void
  dispose(): void
}

/** Inputs that nothing reads are not declared, for ONNX Runtime would warn of them. */
function inputsRead(graph: Graph): ReadonlySet<Value> {
  return new Set(nodesOf(graph.outputs).flatMap(({ inputs }) => inputs.filter((value) => value !== undefined)))
}

/** A recorded function with a simpler graph. */
function simplified({ inputs, outputs, hosted }: Recorded): Recorded {
  const graph = simplify({ inputs: [...inputs, ...hosted.map(({ value }) => value)], outputs })
  const now = new Map(inputs.map((value, i) => [value, graph.inputs[i]!]))
  return {
    inputs: graph.inputs.slice(0, inputs.length),
    outputs: graph.outputs,
    hosted: hosted.map(({ from, compute }, i) => ({
      value: graph.inputs[inputs.length + i]!,
      from: from.map((value) => now.get(value) ?? value),
      compute,
    })),
  }
}

const poolKey = ({ dtype, shape }: Value): string => `${dtype} ${sizeOf(shape)}`

/**
 * Makes a program. Outputs are written where inputs lie that are owned, if the graph allows it; what is left of owned
 * inputs is kept for the outputs of the next run, so that steps which pass on their state allocate nothing.
 */
export function program(recorded: Recorded, donated: readonly boolean[], options: SessionOptions): Program {
  const { inputs, outputs, hosted } = simplified(recorded)
  const computed = [...new Set(outputs.filter(({ node }) => node !== undefined))]
  const body: Graph = { inputs: [], outputs: computed }
  const read = inputsRead(body)
  const graph: Graph = {
    inputs: [...inputs, ...hosted.map(({ value }) => value)].filter((value) => read.has(value)),
    outputs: computed,
  }
  const session: Session | undefined = computed.length === 0 ? undefined : openSession(graph, options)
  const aliases = aliasesOf({ inputs, outputs }, inputs.filter((_, i) => donated[i]))
  const computedHere = hosted
    .filter(({ value }) => read.has(value))
    .map((each) => ({ ...each, into: new Float32Array(sizeOf(each.value.shape)) }))
  const spare = new Map<string, Values[]>()
  const wanted = new Set(computed.filter((value) => !aliases.has(value)).map(poolKey))

  return {
    graph,
    inputs,
    outputs,
    run(given) {
      const at = new Map(inputs.map((value, i) => [value, given[i]!]))
      const numbers = (value: Value): Values => at.get(value)?.values ?? value.constant!
      const taken = new Set<Value>()
      const place = (output: Value): Values => {
        const alias = aliases.get(output)
        const argument = alias === undefined ? undefined : at.get(alias)!
        if (argument?.owned === true) {
          taken.add(alias!)
          return argument.values
        }
        return spare.get(poolKey(output))?.pop() ?? emptyValues(output.dtype, sizeOf(output.shape))
      }
      const fetches = computed.map((output): Feed => [output, place(output)])
      for (const { from, compute, into } of computedHere) compute(into, ...from.map(numbers))
      const feeds = inputs.filter((value) => read.has(value)).map((value): Feed => [value, numbers(value)])
      session?.run([...feeds, ...computedHere.map(({ value, into }): Feed => [value, into])], fetches)
      const results = new Map<Value, Values>(fetches)
      for (const [i, value] of inputs.entries())
        if (given[i]!.owned && !taken.has(value) && !outputs.includes(value) && wanted.has(poolKey(value)))
          spare.set(poolKey(value), [...(spare.get(poolKey(value)) ?? []), given[i]!.values])
      return outputs.map((output) => results.get(output) ?? (at.has(output) ? numbers(output) : output.constant!.slice()))
    },
    endProfiling: () => session?.endProfiling(),
    dispose: () => session?.dispose(),
  }
}
