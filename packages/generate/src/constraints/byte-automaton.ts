import type { Budget } from '@attune/core'
import { ACCEPT, type ByteGraph, NO_STATE } from './byte-graph.js'
import { tooLarge } from './pattern-error.js'
import { UNKNOWN, stepTable } from './step-table.js'

/** Dead state: no text with this beginning matches. */
export const DEAD = -1

/** Deterministic finite automaton over UTF-8 bytes. States are numbers from 0, the initial state. */
export interface ByteAutomaton {
  /** Class of each byte: bytes of one class have the same transitions from every state. */
  readonly classOf: Uint8Array
  /** State after a byte, or {@link DEAD}. Never returns a state from which no accepting state can be reached. */
  next(state: number, byte: number): number
  /** True if a text may end in this state. */
  accepts(state: number): boolean
}

/** Deterministic automaton built from a {@link ByteGraph} on demand. */
export interface LazyAutomaton extends ByteAutomaton {
  /** Graph states that a state stands for: those with edges, and the accepting one. */
  members(state: number): Int32Array
}

/** With their transitions about 50 MB. */
const MAX_STATES = 50_000
const MAX_MEMBERS = 5_000_000

/** Byte classes: bytes that no edge distinguishes share a class. */
function byteClasses({ used }: ByteGraph): { readonly classOf: Uint8Array; readonly bytes: readonly number[] } {
  const classOf = new Uint8Array(256)
  used.starts.forEach((from, i) => classOf.fill(i, from))
  return { classOf, bytes: used.starts }
}

/** Epsilon closure: returns the sorted states with edges, and the accepting one. */
function epsilonClosure(graph: ByteGraph, budget: Budget) {
  const seen: number[] = []
  let round = 0
  return (states: readonly number[]): Int32Array => {
    round++
    const kept: number[] = []
    const waiting = [...states]
    let steps = 0
    while (waiting.length > 0) {
      steps++
      const state = waiting.pop()!
      // States are built on demand.
      while (seen.length <= state) seen.push(0)
      if (seen[state] === round) continue
      seen[state] = round
      const { edges, epsilon } = graph.at(state)
      if (edges.length > 0 || state === ACCEPT) kept.push(state)
      for (const to of epsilon) waiting.push(to)
    }
    budget.spend(4 * steps + 35 * kept.length)
    return Int32Array.from(kept).sort()
  }
}

/** Cost of a state without its members, in budget steps. */
const STEPS_PER_STATE = 200

/** Numbers sets of graph states. Calls `added` for each new set. */
function subsets(budget: Budget, added: () => void) {
  const numbers = new Map<string, number>()
  const sets: Int32Array[] = []
  let members = 0
  return {
    sets,
    numberOf(set: Int32Array): number {
      if (set.length === 0) return DEAD
      const name = Buffer.from(set.buffer, set.byteOffset, set.byteLength).toString('latin1')
      const known = numbers.get(name)
      if (known !== undefined) return known
      members += set.length
      if (sets.length >= MAX_STATES || members > MAX_MEMBERS)
        throw tooLarge(`generation reached more than ${sets.length} states`)
      budget.spend(STEPS_PER_STATE)
      numbers.set(name, sets.length)
      added()
      return sets.push(set) - 1
    },
  }
}

/**
 * Deterministic automaton of a graph by the lazy subset construction of Rabin and Scott, Finite Automata and Their Decision
 * Problems, 1959. States are built when a text first reaches them, and kept. If the graph matches nothing, the initial state has
 * no members.
 */
export function byteAutomaton(graph: ByteGraph, budget: Budget): LazyAutomaton {
  const { classOf, bytes } = byteClasses(graph)
  const close = epsilonClosure(graph, budget)
  const columns = bytes.length
  const { cells, addRow } = stepTable(columns)
  const { sets, numberOf } = subsets(budget, addRow)
  if (graph.start === NO_STATE)
    return { classOf, next: () => DEAD, accepts: () => false, members: () => new Int32Array() }
  numberOf(close([graph.start]))
  const compute = (state: number, column: number): number => {
    const byte = bytes[column]!
    const targets: number[] = []
    let steps = 20
    for (const member of sets[state]!) {
      const { edges } = graph.at(member)
      steps += 2 + edges.length
      for (const { first, last, to } of edges) if (first <= byte && byte <= last) targets.push(to)
    }
    budget.spend(steps)
    const to = numberOf(close(targets))
    table = cells()
    table[state * columns + column] = to
    return to
  }
  let table = cells()
  return {
    classOf,
    next(state, byte) {
      const column = classOf[byte]!
      const known = table[state * columns + column]!
      return known === UNKNOWN ? compute(state, column) : known
    },
    accepts: (state) => sets[state]![0] === ACCEPT,
    members: (state) => sets[state]!,
  }
}
