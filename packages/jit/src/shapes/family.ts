import type { Graph, Value, Values } from '../graph.js'
import type { Feed, Session } from '../session.js'
import type { Dimensions } from '../onnx-model.js'
import { align } from './align.js'
import { type Classes, classesOf, refine } from './classes.js'
import { type Positions, constantNames, dimensionKeys, positionsIn } from './positions.js'
import { type SymbolicGraph, symbolicGraph } from './symbolic-graph.js'

/** Opens a session for a graph; `dimensions` names those that differ between runs. */
export type OpenGraph = (graph: Graph, dimensions?: Dimensions) => Session

/** The graph of one shape in a family. */
export interface Member {
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** Its values of the constants that differ between members, by class. */
  parameters: ReadonlyMap<number, Value>
}

/** Constants of a graph that differ between members, by class. */
const parametersAt = ({ of: _, first, varies }: Classes, { constants }: Positions): ReadonlyMap<number, Value> =>
  new Map(first.map((position, kind) => [kind, constants[position]!] as const).filter(([kind]) => varies[kind]!))

/**
 * Graphs of one function for several shapes, executed by one session. They have the same nodes; the constants that
 * differ between them, mostly shapes, are inputs of the session.
 */
export class Family {
  readonly graph: Graph
  readonly members = new Set<Member>()
  readonly #open: OpenGraph
  readonly #positions: Positions
  readonly #nameOf = constantNames()
  #constants: Classes
  #dimensions: Classes
  #symbolic: SymbolicGraph | undefined
  #session: Session | undefined
  #joined = false

  constructor(graph: Graph, open: OpenGraph) {
    this.graph = graph
    this.#open = open
    this.#positions = positionsIn(graph)
    this.#constants = classesOf(this.#positions.constants.map(this.#nameOf))
    this.#dimensions = classesOf(dimensionKeys(this.#positions))
  }

  /** Adds the first member: the graph itself. */
  begin(): Member {
    return this.#add(this.graph, this.#positions)
  }

  /** True if no other graph has joined. */
  get isSingle(): boolean {
    return !this.#joined
  }

  #add({ inputs, outputs }: Graph, positions: Positions): Member {
    const member = { inputs, outputs, parameters: parametersAt(this.#constants, positions) }
    this.members.add(member)
    return member
  }

  /**
   * Adds a graph that differs only in constants and shapes. If it differs in others than the earlier members, the
   * session is compiled again.
   * @returns undefined if it differs in more, or cannot be compiled for several shapes
   */
  join(graph: Graph): Member | undefined {
    const alignment = align(this.graph, graph)
    if (alignment === undefined) return undefined
    const positions = positionsIn(this.graph, graph.inputs, alignment)
    const constants = refine(this.#constants, positions.constants.map(this.#nameOf))
    const dimensions = refine(this.#dimensions, dimensionKeys(positions))
    const isKnown = constants === this.#constants && dimensions === this.#dimensions
    if (!isKnown && !this.#recompile(constants, dimensions)) return undefined
    this.#joined = true
    return this.#add(graph, positions)
  }

  /** Replaces the session by one for finer classes; keeps the former classes if ONNX Runtime rejects it. */
  #recompile(constants: Classes, dimensions: Classes): boolean {
    const former = { constants: this.#constants, dimensions: this.#dimensions, symbolic: this.#symbolic }
    this.close()
    this.#symbolic = symbolicGraph(this.graph, constants, dimensions)
    try {
      this.#session = this.#open(this.#symbolic.graph, this.#symbolic.dimensions)
    } catch {
      this.#symbolic = former.symbolic
      return false
    }
    for (const member of this.members) member.parameters = this.#refined(member, constants)
    this.#constants = constants
    this.#dimensions = dimensions
    return true
  }

  /** Values of an earlier member for finer classes. */
  #refined({ parameters }: Member, { first, varies }: Classes): ReadonlyMap<number, Value> {
    const valueAt = (position: number): Value =>
      parameters.get(this.#constants.of[position]!) ?? this.#positions.constants[position]!
    return new Map(first.map((position, kind) => [kind, valueAt(position)] as const).filter(([kind]) => varies[kind]!))
  }

  /** Opens the session, if necessary. */
  ready(): Session {
    const { graph, dimensions } = this.#symbolic ?? { graph: this.graph, dimensions: undefined }
    return (this.#session ??= this.#open(graph, dimensions))
  }

  /** Runs the graph of a member. */
  run(member: Member, feeds: readonly Feed[], fetches: readonly Feed[]): void {
    const { inputs, outputs } = this.graph
    const ids = new Map<Value, number>()
    for (const [i, value] of member.inputs.entries()) ids.set(value, inputs[i]!.id)
    for (const [i, value] of member.outputs.entries()) ids.set(value, outputs[i]!.id)
    const named = ([value, values]: Feed): Feed => [{ ...value, id: ids.get(value)! }, values]
    const parameters = [...member.parameters].map(([kind, value]): Feed => {
      const { id } = this.#symbolic!.parameters.get(kind)!
      return [{ ...value, id }, value.constant as Values]
    })
    this.ready().run([...feeds.map(named), ...parameters], fetches.map(named))
  }

  /** Releases the session. */
  close(): void {
    this.#session?.dispose()
    this.#session = undefined
  }

  endProfiling(): void {
    this.#session?.endProfiling()
  }
}
