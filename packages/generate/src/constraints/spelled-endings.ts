import type { Budget } from '@attune/core'
import { ACCEPT, type ByteGraph } from './byte-graph.js'
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
function epsilonFollower(graph: ByteGraph, budget: Budget): (state: number) => number {
  const known = new Map<number, number>()
  return (state) => {
    const path: number[] = []
    let end = state
    while (end !== ACCEPT && graph.at(end).byte < 0) {
      path.push(end)
      end = known.get(end) ?? graph.at(end).next
    }
    budget.spend(5 * path.length)
    for (const at of path) known.set(at, end)
    return end
  }
}

/**
 * Returns the number of tokens of the shortest ending of a graph state, in its tokenization with the fewest tokens. A longer ending
 * may take fewer tokens; but each token of this tokenization lowers the number by one, so a text can be completed in that many
 * tokens. Requires a token for each byte.
 */
export function spelledEndings(graph: ByteGraph, trie: TokenTrie, budget: Budget): (state: number) => number {
  const first = firstNodes(trie)
  const settle = epsilonFollower(graph, budget)
  const fewest = new Map<number, number>([[ACCEPT, 0]])
  const fewestFrom = (state: number): number => {
    let best = Infinity
    let node = NONE
    for (let at = state; at !== ACCEPT;) {
      const { byte, next } = graph.at(at)
      node = node === NONE ? first[byte]! : child(trie, node, byte, budget)
      if (node === NONE) break
      at = settle(next)
      budget.spend(5)
      if (trie.begins[node + 1]! > trie.begins[node]!) best = Math.min(best, 1 + fewest.get(at)!)
    }
    return best
  }
  return (state) => {
    const path: number[] = []
    for (let at = settle(state); !fewest.has(at); at = settle(graph.at(at).next)) path.push(at)
    for (const at of path.reverse()) fewest.set(at, fewestFrom(at))
    return fewest.get(settle(state))!
  }
}
