import type { Budget } from '@attune/core'
import { ACCEPT, type ByteGraph } from './byte-graph.js'

/** For each state of a graph, a shortest text from there to the end. */
export interface ShortestEndings {
  /** How many bytes it has; −1 where no text leads to the end. */
  readonly length: Int32Array
  /** Its first byte; −1 where the state leads on without reading, and at the end. */
  readonly byte: Int16Array
  /** The state after that byte. */
  readonly next: Int32Array
}

/** Which states lead into each state: those of `to` are at `begins[to]` up to `begins[to + 1]`. */
interface Arrows {
  readonly begins: Int32Array
  readonly from: Int32Array
  /** The least byte that leads there; −1 where nothing is read. */
  readonly byte: Int16Array
}

function arrowsInto({ edges, free }: ByteGraph): Arrows {
  const begins = new Int32Array(edges.length + 1)
  for (const list of edges) for (const { to } of list) begins[to + 1]!++
  for (const list of free) for (const to of list) begins[to + 1]!++
  for (let state = 0; state < edges.length; state++) begins[state + 1]! += begins[state]!
  const ends = begins.slice()
  const from = new Int32Array(begins[edges.length]!)
  const byte = new Int16Array(from.length).fill(-1)
  for (const [state, list] of edges.entries())
    for (const { first, to } of list) {
      byte[ends[to]!] = first
      from[ends[to]!++] = state
    }
  for (const [state, list] of free.entries()) for (const to of list) from[ends[to]!++] = state
  return { begins, from, byte }
}

/** Shortest endings by breadth-first search backwards; steps that read nothing count nothing. */
export function shortestEndings(graph: ByteGraph, budget: Budget): ShortestEndings {
  const size = graph.edges.length
  const into = arrowsInto(graph)
  budget.spend(10 * (size + into.from.length))
  const length = new Int32Array(size).fill(-1)
  const byte = new Int16Array(size).fill(-1)
  const next = new Int32Array(size)
  length[ACCEPT] = 0
  let layer = [ACCEPT]
  for (let bytes = 0; layer.length > 0; bytes++) {
    /** Arrows that read a byte, and where they lead. */
    const longer: number[] = []
    // The layer grows while it is walked: states that lead into it without reading belong to it.
    for (const state of layer)
      for (let arrow = into.begins[state]!; arrow < into.begins[state + 1]!; arrow++) {
        const from = into.from[arrow]!
        if (into.byte[arrow]! >= 0) longer.push(arrow, state)
        else if (length[from] === -1) {
          length[from] = bytes
          next[from] = state
          layer.push(from)
        }
      }
    layer = []
    for (let i = 0; i < longer.length; i += 2) {
      const [arrow, to] = [longer[i]!, longer[i + 1]!]
      const from = into.from[arrow]!
      if (length[from] !== -1) continue
      length[from] = bytes + 1
      byte[from] = into.byte[arrow]!
      next[from] = to
      layer.push(from)
    }
  }
  return { length, byte, next }
}
