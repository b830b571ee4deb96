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
    hosted: hosted.map((each, i) => ({
      ...each,
      value: graph.inputs[inputs.length + i]!,
      from: each.from.map((value) => now.get(value) ?? value),
    })),
  }
}

const poolKey = ({ dtype, shape }: Value): string => `${dtype} ${sizeOf(shape)}`

/** Where outputs are written: over an argument that is owned, into an array left over from one, or into a new one. */
function memory(aliases: ReadonlyMap<Value, Value>, computed: readonly Value[]) {
  const spare = new Map<string, Values[]>()
  const wanted = new Set(computed.filter((value) => !aliases.has(value)).map(poolKey))
  return {
    place(output: Value, at: ReadonlyMap<Value, Argument>): Values {
      const over = at.get(aliases.get(output) ?? output)
      if (over?.owned === true) return over.values
      return spare.get(poolKey(output))?.pop() ?? emptyValues(output.dtype, sizeOf(output.shape))
    },
    /** Keeps arguments that nobody needs any more for the outputs of the next run. */
    keep(at: ReadonlyMap<Value, Argument>, used: ReadonlySet<Values>): void {
      for (const [value, { owned, values }] of at) {
        const pool = spare.get(poolKey(value)) ?? []
        if (owned && !used.has(values) && wanted.has(poolKey(value)) && pool.length < wanted.size)
          spare.set(poolKey(value), [...pool, values])
      }
    },
  }
}

/** What the host computes, each with the array that it writes to: of those that a kernel makes for all it has to write. */
function withArrays(hosted: readonly Hosted[]): readonly (Hosted & { readonly into: Float32Array })[] {
  const makers = [...new Set(hosted.map(({ allocate }) => allocate))]
  return makers.flatMap((allocate) => {
    const own = hosted.filter((each) => each.allocate === allocate)
    const sizes = own.map(({ value }) => sizeOf(value.shape))
    const arrays = allocate?.(sizes) ?? sizes.map((size) => new Float32Array(size))
    return own.map((each, i) => ({ ...each, into: arrays[i]! }))
  })
}

/** The graph that ONNX Runtime is to run: outputs that are not just passed on, and inputs that they need. */
function graphToRun({ inputs, outputs, hosted }: Recorded): Graph {
  const computed = [...new Set(outputs.filter(({ node }) => node !== undefined))]
  const read = inputsRead({ inputs: [], outputs: computed })
  const all = [...inputs, ...hosted.map(({ value }) => value)]
  return { inputs: all.filter((value) => read.has(value)), outputs: computed }
}

/**
 * Makes a program. Outputs are written where inputs lie that are owned, if the graph allows it; what is left of owned
 * inputs is kept for the outputs of the next run, so that steps which pass on their state allocate nothing.
 */
export function program(recorded: Recorded, donated: readonly boolean[], options: SessionOptions): Program {
  const simple = simplified(recorded)
  const { inputs, outputs } = simple
  const graph = graphToRun(simple)
  const session: Session | undefined = graph.outputs.length === 0 ? undefined : openSession(graph, options)
  const givenUp = inputs.filter((_, i) => donated[i])
  const { place, keep } = memory(aliasesOf({ inputs, outputs }, givenUp), graph.outputs)
  const hosted = withArrays(
    simple.hosted.filter(({ value }) => graph.inputs.includes(value) || outputs.includes(value)),
  )
  const fromHost = hosted.filter(({ value }) => graph.inputs.includes(value))
  const fed = inputs.filter((value) => graph.inputs.includes(value))

  return {
    graph,
    inputs,
    outputs,
    run(given) {
      const at = new Map(inputs.map((value, i) => [value, given[i]!]))
      const numbers = (value: Value): Values => at.get(value)?.values ?? value.constant!
      const fetches = graph.outputs.map((output): Feed => [output, place(output, at)])
      for (const { from, compute, into } of hosted) compute(into, ...from.map(numbers))
      const feeds = [
        ...fed.map((value): Feed => [value, numbers(value)]),
        ...fromHost.map(({ value, into }): Feed => [value, into]),
      ]
      session?.run(feeds, fetches)
      const results = new Map<Value, Values>(fetches)
      const drawn = new Map(hosted.map(({ value, into }) => [value, into]))
      // What the host computed is copied: its array is written to again at the next run.
      const copy = (value: Value): Values => value.constant?.slice() ?? drawn.get(value)?.slice() ?? numbers(value)
      const made = outputs.map((output) => results.get(output) ?? copy(output))
      keep(at, new Set(made))
      return made
    },
    endProfiling: () => session?.endProfiling(),
    dispose: () => session?.dispose(),
  }
}
