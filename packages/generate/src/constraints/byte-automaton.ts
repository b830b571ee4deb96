import { ACCEPT, type ByteGraph } from './byte-graph.js'
import { tooLarge } from './pattern-error.js'
import { type ShortestEndings } from './shortest-endings.js'

/** What no byte leads out of: no text that begins so can match. */
export const DEAD = -1

/** A deterministic automaton over the bytes of UTF-8. Its states are numbers from 0, where a text begins. */
export interface ByteAutomaton {
  /** The state after a byte, or {@link DEAD}: a state from which no accepting one can be reached is never given. */
  next(state: number, byte: number): number
  /** Whether a text may end here. */
  accepts(state: number): boolean
}

/** One that was made of a graph. */
export interface LazyAutomaton extends ByteAutomaton {
  /** The states of the graph that a state stands for: those with edges, and the accepting one. */
  members(state: number): Int32Array
}

/** With their rows about 50 MB. */
const MOST_STATES = 50_000
const MOST_MEMBERS = 5_000_000

/** Bytes that no edge tells apart have the same class. */
function byteClasses({ edges }: ByteGraph): { readonly classOf: Uint8Array; readonly bytes: readonly number[] } {
  const begins = new Set([0])
  for (const { first, last } of edges.flat()) begins.add(first).add(last + 1)
  const bytes = [...begins].filter((byte) => byte < 256).sort((a, b) => a - b)
  const classOf = new Uint8Array(256)
  bytes.forEach((from, i) => classOf.fill(i, from))
  return { classOf, bytes }
}

/** Follows what reads nothing: gives the states with edges, and the accepting one, that can still end; sorted. */
function closing({ edges, free }: ByteGraph, { length }: ShortestEndings): (states: Iterable<number>) => Int32Array {
  const seen = new Int32Array(edges.length)
  let round = 0
  return (states) => {
    round++
    const kept: number[] = []
    const waiting = [...states]
    while (waiting.length > 0) {
      const state = waiting.pop()!
      if (seen[state] === round || length[state] === -1) continue
      seen[state] = round
      if (edges[state]!.length > 0 || state === ACCEPT) kept.push(state)
      for (const to of free[state]!) waiting.push(to)
    }
    return Int32Array.from(kept).sort()
  }
}

/** Sets of states of the graph by number, each with a row of what bytes lead to. */
function subsetTable(columns: number) {
  const numbers = new Map<string, number>()
  const sets: Int32Array[] = []
  const rows: Int32Array[] = []
  let members = 0
  return {
    sets,
    rows,
    numberOf(set: Int32Array): number {
      if (set.length === 0) return DEAD
      const name = set.join()
      const known = numbers.get(name)
      if (known !== undefined) return known
      members += set.length
      if (sets.length >= MOST_STATES || members > MOST_MEMBERS)
        throw tooLarge(`writing has led through more than ${sets.length} states of this one`)
      numbers.set(name, sets.length)
      rows.push(new Int32Array(columns).fill(UNKNOWN))
      return sets.push(set) - 1
    },
  }
}

const UNKNOWN = -2

/**
 * The deterministic automaton of a graph, by the construction of Rabin and Scott, Finite Automata and Their Decision
 * Problems, 1959. States are made when a text first leads to them, and kept. Where the graph matches nothing, the beginning
 * has no members.
 */
export function byteAutomaton(graph: ByteGraph, endings: ShortestEndings): LazyAutomaton {
  const { classOf, bytes } = byteClasses(graph)
  const close = closing(graph, endings)
  const { sets, rows, numberOf } = subsetTable(bytes.length)
  const start = close([graph.start])
  if (start.length === 0) return { next: () => DEAD, accepts: () => false, members: () => start }
  numberOf(start)
  const compute = (state: number, column: number): number => {
    const byte = bytes[column]!
    const targets: number[] = []
    for (const member of sets[state]!)
      for (const { first, last, to } of graph.edges[member]!) if (first <= byte && byte <= last) targets.push(to)
    return (rows[state]![column] = numberOf(close(targets)))
  }
  return {
    next(state, byte) {
      const column = classOf[byte]!
      const known = rows[state]![column]!
      return known === UNKNOWN ? compute(state, column) : known
    },
    accepts: (state) => sets[state]![0] === ACCEPT,
    members: (state) => sets[state]!,
  }
}
