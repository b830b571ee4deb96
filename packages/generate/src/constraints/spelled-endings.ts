import { ACCEPT, type ByteGraph } from './byte-graph.js'
import type { ShortestEndings } from './shortest-endings.js'
import type { TokenTrie } from './token-trie.js'

const NONE = -1

/** The node that a byte leads to from a node, or from the root if that is {@link NONE}; {@link NONE} where there is none. */
function child({ bytes, skips }: TokenTrie, parent: number, byte: number): number {
  const end = parent === NONE ? bytes.length : skips[parent]!
  for (let node = parent + 1; node < end; node = skips[node]!) {
    if (bytes[node] === byte) return node
    if (bytes[node]! > byte) return NONE
  }
  return NONE
}

/** Follows what reads nothing on the shortest way to the end. */
function settle({ byte, next }: ShortestEndings, state: number): number {
  let at = state
  while (at !== ACCEPT && byte[at] === -1) at = next[at]!
  return at
}

/**
 * For each state of a graph, how many tokens its shortest ending takes when it is spelled with as few as can be. There may be
 * longer endings with fewer tokens; but whoever takes the first token of such a spelling has one less to go, so that a text
 * can be brought to its end in so many tokens. Needs a token for each byte alone.
 */
export function spelledEndings(graph: ByteGraph, endings: ShortestEndings, trie: TokenTrie): Int32Array {
  const fewest = new Int32Array(graph.edges.length)
  const reading = Array.from(graph.edges.keys()).filter((state) => endings.byte[state]! >= 0)
  reading.sort((a, b) => endings.length[a]! - endings.length[b]!)
  for (const state of reading) {
    let best = Infinity
    let node = NONE
    for (let at = state; at !== ACCEPT; at = settle(endings, endings.next[at]!)) {
      node = child(trie, node, endings.byte[at]!)
      if (node === NONE) break
      const after = settle(endings, endings.next[at]!)
      if (trie.begins[node + 1]! > trie.begins[node]!) best = Math.min(best, 1 + fewest[after]!)
    }
    fewest[state] = best
  }
  return fewest
}
