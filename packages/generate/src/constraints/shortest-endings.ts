import type { Budget } from '@attune/core'
import { ACCEPT, type ByteGraph } from './byte-graph.js'

/** A shortest text from each graph state to acceptance. */
export interface ShortestEndings {
  /** Length in bytes; −1 if acceptance cannot be reached. */
  readonly length: Int32Array
  /** First byte; −1 if the state has an epsilon edge on the path, and for the accepting state. */
  readonly byte: Int16Array
  /** State after that byte or epsilon edge. */
  readonly next: Int32Array
}

/** Reverse edges: the sources of edges into `to` are at `begins[to]` up to `begins[to + 1]`. */
interface ReverseEdges {
  readonly begins: Int32Array
  readonly from: Int32Array
  /** Smallest byte of the edge; −1 for an epsilon edge. */
  readonly byte: Int16Array
}

function reverseEdges({ edges, epsilon }: ByteGraph): ReverseEdges {
  const begins = new Int32Array(edges.length + 1)
  for (const list of edges) for (const { to } of list) begins[to + 1]!++
  for (const list of epsilon) for (const to of list) begins[to + 1]!++
  for (let state = 0; state < edges.length; state++) begins[state + 1]! += begins[state]!
  const ends = begins.slice()
  const from = new Int32Array(begins[edges.length]!)
  const byte = new Int16Array(from.length).fill(-1)
  for (const [state, list] of edges.entries())
    for (const { first, to } of list) {
      byte[ends[to]!] = first
      from[ends[to]!++] = state
    }
  for (const [state, list] of epsilon.entries()) for (const to of list) from[ends[to]!++] = state
  return { begins, from, byte }
}

/** Computes shortest endings by backward breadth-first search; epsilon edges have length 0. */
export function shortestEndings(graph: ByteGraph, budget: Budget): ShortestEndings {
  const size = graph.edges.length
  const into = reverseEdges(graph)
  budget.spend(10 * (size + into.from.length))
  const length = new Int32Array(size).fill(-1)
  const byte = new Int16Array(size).fill(-1)
  const next = new Int32Array(size)
  length[ACCEPT] = 0
  let layer = [ACCEPT]
  for (let bytes = 0; layer.length > 0; bytes++) {
    /** Byte edges, and their targets. */
    const longer: number[] = []
    // The layer grows during iteration: states with an epsilon edge into it belong to it.
    for (const state of layer)
      for (let edge = into.begins[state]!; edge < into.begins[state + 1]!; edge++) {
        const from = into.from[edge]!
        if (into.byte[edge]! >= 0) longer.push(edge, state)
        else if (length[from] === -1) {
          length[from] = bytes
          next[from] = state
          layer.push(from)
        }
      }
    layer = []
    for (let i = 0; i < longer.length; i += 2) {
      const [edge, to] = [longer[i]!, longer[i + 1]!]
      const from = into.from[edge]!
      if (length[from] !== -1) continue
      length[from] = bytes + 1
      byte[from] = into.byte[edge]!
      next[from] = to
      layer.push(from)
    }
  }
  return { length, byte, next }
}
