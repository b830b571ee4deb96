import type { HostedInput, ViewedInput } from './backend.js'
import { aliasesOf } from './aliases.js'
import { emptyValues, viewAs } from './builder.js'
import type { HostArrays } from './host-arrays.js'
import { type Graph, type Value, type Values, nodesOf, sizeOf } from './graph.js'
import type { SharedSessions } from './shapes/shared-sessions.js'
import { simplify } from './simplify/simplify.js'
import type { Feed, Session } from './session.js'

/** Graph of a traced function, with the inputs that the host computes and those that are views of others. */
export interface TracedGraph extends Graph {
  readonly hosted: readonly HostedInput[]
  readonly views: readonly ViewedInput[]
}

/** Values of an argument; `owned` is true if they may be overwritten. */
export interface Argument {
  readonly values: Values
  readonly owned: boolean
}

/** An executable traced function. */
export interface Program {
  readonly graph: Graph
  /** Leaves of the arguments and of the result; a leaf that is both is returned without computation. */
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** Computes the values of the outputs. The array of an owned argument may be reused for an output. */
  run(given: readonly Argument[]): readonly Values[]
  endProfiling(): void
  dispose(): void
}

/** State that the programs of one function share. */
export interface Shared {
  readonly sessions: Pick<SharedSessions, 'sessionFor'>
  readonly hostArrays: HostArrays
}

/** Inputs that are read; ONNX Runtime would warn about the declaration of others. */
function readInputs(graph: Graph): ReadonlySet<Value> {
  return new Set(nodesOf(graph.outputs).flatMap(({ inputs }) => inputs.filter((value) => value !== undefined)))
}

/** Traced function with a simplified graph. */
function simplifyTraced({ inputs, outputs, hosted, views }: TracedGraph): TracedGraph {
  const others = [...hosted, ...views].map(({ value }) => value)
  const graph = simplify({ inputs: [...inputs, ...others], outputs })
  const known = new Map([...inputs, ...others].map((value, i) => [value, graph.inputs[i]!]))
  const now = (value: Value): Value => known.get(value) ?? value
  return {
    inputs: inputs.map(now),
    outputs: graph.outputs,
    hosted: hosted.map((each) => ({ ...each, value: now(each.value), from: each.from.map(now) })),
    views: views.map(({ value, of }) => ({ value: now(value), of: now(of) })),
  }
}

const poolKey = ({ dtype, shape }: Value): string => `${dtype} ${sizeOf(shape)}`

/** Memory of outputs: an owned argument, an unused array of an earlier one, or a new array. */
function outputMemory(aliases: ReadonlyMap<Value, Value>, computed: readonly Value[]) {
  const unused = new Map<string, Values[]>()
  const wanted = new Set(computed.filter((value) => !aliases.has(value)).map(poolKey))
  return {
    arrayFor(output: Value, at: ReadonlyMap<Value, Argument>): Values {
      const over = at.get(aliases.get(output) ?? output)
      if (over?.owned === true) return over.values
      return unused.get(poolKey(output))?.pop() ?? emptyValues(output.dtype, sizeOf(output.shape))
    },
    /** Keeps owned arguments that are no longer needed for the outputs of the next run. */
    keep(at: ReadonlyMap<Value, Argument>, used: ReadonlySet<Values>): void {
      for (const [value, { owned, values }] of at) {
        const pool = unused.get(poolKey(value)) ?? []
        if (owned && !used.has(values) && wanted.has(poolKey(value)) && pool.length < wanted.size)
          unused.set(poolKey(value), [...pool, values])
      }
    },
  }
}

/** Graph for ONNX Runtime: the outputs that are computed, and the inputs that they need. */
function graphToRun({ inputs, outputs, hosted, views }: TracedGraph): Graph {
  const computed = [...new Set(outputs.filter(({ node }) => node !== undefined))]
  const read = readInputs({ inputs: [], outputs: computed })
  const all = [...inputs, ...[...hosted, ...views].map(({ value }) => value)]
  return { inputs: all.filter((value) => read.has(value)), outputs: computed }
}

/** Inputs whose memory an output may take: donated ones of which no view is read. */
const overwritable = ({ inputs, views }: TracedGraph, donated: readonly boolean[]): readonly Value[] =>
  inputs.filter((value, i) => donated[i] && !views.some(({ of }) => of === value))

/**
 * Compiles a program. Outputs are written over owned inputs if the graph allows it; the remaining arrays of owned
 * inputs are kept for the outputs of the next run, so that steps which pass on their state allocate nothing.
 */
export function program(traced: TracedGraph, donated: readonly boolean[], { sessions, hostArrays }: Shared): Program {
  const simple = simplifyTraced(traced)
  const { inputs, outputs } = simple
  const graph = graphToRun(simple)
  const session: Session | undefined = graph.outputs.length === 0 ? undefined : sessions.sessionFor(graph)
  const { arrayFor, keep } = outputMemory(aliasesOf(simple, overwritable(simple, donated)), graph.outputs)
  const hosted = simple.hosted.filter(({ value }) => graph.inputs.includes(value) || outputs.includes(value))
  const arraysOfHosted = hostArrays.reserve(hosted)
  const read = new Set(graph.inputs)
  const fed = inputs.filter((value) => read.has(value))
  const views = simple.views.filter(({ value }) => read.has(value))

  return {
    graph,
    inputs,
    outputs,
    run(given) {
      const at = new Map(inputs.map((value, i) => [value, given[i]!]))
      const numbers = (value: Value): Values => at.get(value)?.values ?? value.constant!
      const fetches = graph.outputs.map((output): Feed => [output, arrayFor(output, at)])
      const arrays = arraysOfHosted()
      const hostValues = new Map(hosted.map(({ value }, i) => [value, arrays[i]!]))
      for (const { value, from, compute } of hosted) compute(hostValues.get(value)!, ...from.map(numbers))
      const feeds = [
        ...fed.map((value): Feed => [value, numbers(value)]),
        ...[...hostValues].filter(([value]) => read.has(value)),
        ...views.map(({ value, of }): Feed => [value, viewAs(value.dtype, numbers(of))]),
      ]
      session?.run(feeds, fetches)
      const results = new Map<Value, Values>(fetches)
      // Host-computed values are copied, because the next run overwrites their arrays.
      const copy = (value: Value): Values => value.constant?.slice() ?? hostValues.get(value)?.slice() ?? numbers(value)
      const made = outputs.map((output) => results.get(output) ?? copy(output))
      keep(at, new Set(made))
      return made
    },
    endProfiling: () => session?.endProfiling(),
    dispose: () => session?.dispose(),
  }
}
