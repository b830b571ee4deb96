import type { Budget } from '@attune/core'
import { ACCEPT, type ByteGraph } from './byte-graph.js'
import { tooLarge } from './pattern-error.js'
import { type ShortestEndings } from './shortest-endings.js'
import { UNKNOWN, stepTable } from './step-table.js'

/** What no byte leads out of: no text that begins so can match. */
export const DEAD = -1

/** A deterministic automaton over the bytes of UTF-8. Its states are numbers from 0, where a text begins. */
export interface ByteAutomaton {
  /** The class of each byte: from no state do bytes of one class lead to different ones. */
  readonly classOf: Uint8Array
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
function closing({ edges, free }: ByteGraph, { length }: ShortestEndings, budget: Budget) {
  const seen = new Int32Array(edges.length)
  let round = 0
  return (states: readonly number[]): Int32Array => {
    round++
    const kept: number[] = []
    const waiting = [...states]
    let steps = 0
    while (waiting.length > 0) {
      steps++
      const state = waiting.pop()!
      if (seen[state] === round || length[state] === -1) continue
      seen[state] = round
      if (edges[state]!.length > 0 || state === ACCEPT) kept.push(state)
      for (const to of free[state]!) waiting.push(to)
    }
    budget.spend(4 * steps + 35 * kept.length)
    return Int32Array.from(kept).sort()
  }
}

/** What a state costs besides its members, in steps of the budget. */
const STEPS_PER_STATE = 200

/** Sets of states of the graph by number. `added` is called with each new one. */
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
      if (sets.length >= MOST_STATES || members > MOST_MEMBERS)
        throw tooLarge(`writing has led through more than ${sets.length} states of this one`)
      budget.spend(STEPS_PER_STATE)
      numbers.set(name, sets.length)
      added()
      return sets.push(set) - 1
    },
  }
}

/**
 * The deterministic automaton of a graph, by the construction of Rabin and Scott, Finite Automata and Their Decision
 * Problems, 1959. States are made when a text first leads to them, and kept. Where the graph matches nothing, the beginning
 * has no members.
 */
export function byteAutomaton(graph: ByteGraph, endings: ShortestEndings, budget: Budget): LazyAutomaton {
  const { classOf, bytes } = byteClasses(graph)
  const close = closing(graph, endings, budget)
  const columns = bytes.length
  const { cells, addRow } = stepTable(columns)
  const { sets, numberOf } = subsets(budget, addRow)
  const start = close([graph.start])
  if (start.length === 0) return { classOf, next: () => DEAD, accepts: () => false, members: () => start }
  numberOf(start)
  const compute = (state: number, column: number): number => {
    const byte = bytes[column]!
    const targets: number[] = []
    let steps = 20
    for (const member of sets[state]!) {
      const edges = graph.edges[member]!
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
