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

interface Arrow {
  readonly from: number
  readonly byte: number
}

function arrowsInto({ edges, free }: ByteGraph): Arrow[][] {
  const into: Arrow[][] = edges.map(() => [])
  edges.forEach((list, from) => list.forEach(({ first, to }) => into[to]!.push({ from, byte: first })))
  free.forEach((list, from) => list.forEach((to) => into[to]!.push({ from, byte: -1 })))
  return into
}

/** Shortest endings by breadth-first search backwards; steps that read nothing count nothing. */
export function shortestEndings(graph: ByteGraph): ShortestEndings {
  const size = graph.edges.length
  const into = arrowsInto(graph)
  const length = new Int32Array(size).fill(-1)
  const byte = new Int16Array(size).fill(-1)
  const next = new Int32Array(size)
  length[ACCEPT] = 0
  let layer = [ACCEPT]
  for (let bytes = 0; layer.length > 0; bytes++) {
    const longer: (Arrow & { readonly to: number })[] = []
    // The layer grows while it is walked: states that lead into it without reading belong to it.
    for (const state of layer)
      for (const arrow of into[state]!) {
        if (arrow.byte >= 0) longer.push({ ...arrow, to: state })
        else if (length[arrow.from] === -1) {
          length[arrow.from] = bytes
          next[arrow.from] = state
          layer.push(arrow.from)
        }
      }
    layer = []
    for (const { from, byte: read, to } of longer) {
      if (length[from] !== -1) continue
      length[from] = bytes + 1
      byte[from] = read
      next[from] = to
      layer.push(from)
    }
  }
  return { length, byte, next }
}
