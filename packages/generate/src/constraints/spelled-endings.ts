import type { Budget } from '@attune/core'
import { ACCEPT, type ByteGraph } from './byte-graph.js'
import type { ShortestEndings } from './shortest-endings.js'
import type { TokenTrie } from './token-trie.js'

const NONE = -1

/** Child of a node by byte; {@link NONE} if there is none. */
function child({ bytes, skips }: TokenTrie, parent: number, byte: number, budget: Budget): number {
  const end = skips[parent]!
  let steps = 1
  let node = parent + 1
  for (; node < end && bytes[node]! < byte; node = skips[node]!) steps++
  budget.spend(steps)
  return node < end && bytes[node] === byte ? node : NONE
}

/** Nodes of the first bytes of tokens. */
function firstNodes({ bytes, skips }: TokenTrie): Int32Array {
  const nodes = new Int32Array(256).fill(NONE)
  for (let node = 0; node < bytes.length; node = skips[node]!) nodes[bytes[node]!] = node
  return nodes
}

/** Follows epsilon edges on the shortest path to acceptance, with path compression. */
function epsilonFollower({ byte, next }: ShortestEndings): (state: number) => number {
  const known = next.slice()
  const isSettled = (state: number): boolean => state === ACCEPT || byte[state]! >= 0
  return (state) => {
    let end = state
    while (!isSettled(end)) end = known[end]!
    for (let at = state; !isSettled(at);) {
      const before = at
      at = known[at]!
      known[before] = end
    }
    return end
  }
}

/**
 * Number of tokens of the shortest ending of each graph state, in its tokenization with the fewest tokens. A longer ending may
 * take fewer tokens; but each token of this tokenization lowers the number by one, so a text can be completed in that many tokens.
 * Requires a token for each byte.
 */
export function spelledEndings(
  graph: ByteGraph,
  endings: ShortestEndings,
  trie: TokenTrie,
  budget: Budget,
): Int32Array {
  const first = firstNodes(trie)
  const settle = epsilonFollower(endings)
  const fewest = new Int32Array(graph.edges.length)
  const reading = Array.from(graph.edges.keys()).filter((state) => endings.byte[state]! >= 0)
  reading.sort((a, b) => endings.length[a]! - endings.length[b]!)
  for (const state of reading) {
    let best = Infinity
    let node = NONE
    for (let at = state; at !== ACCEPT; at = settle(endings.next[at]!)) {
      const byte = endings.byte[at]!
      node = node === NONE ? first[byte]! : child(trie, node, byte, budget)
      if (node === NONE) break
      const after = settle(endings.next[at]!)
      budget.spend(5)
      if (trie.begins[node + 1]! > trie.begins[node]!) best = Math.min(best, 1 + fewest[after]!)
    }
    fewest[state] = best
  }
  return fewest
}
