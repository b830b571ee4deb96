import { DEAD } from './byte-automaton.js'
import type { TokenTrie } from './token-trie.js'

/**
 * Trie of the tokens' texts over byte classes: texts that an automaton cannot distinguish share a node. Node 0 is the root, which
 * is nobody's child, so 0 also means "none".
 */
export interface ClassTree {
  /** By node: one byte of its class. */
  readonly bytes: Uint8Array
  readonly firstChild: Int32Array
  readonly sibling: Int32Array
  /** By node: 1 if the text of a token ends there. */
  readonly ends: Uint8Array
  readonly depth: number
}

/** Builds the class tree of a vocabulary for an automaton with the byte classes `classOf`. */
export function classTree(trie: TokenTrie, classOf: Uint8Array): ClassTree {
  const { bytes, depths, begins, depth: most } = trie
  const children = new Map<number, number>()
  const tree = { bytes: [0], firstChild: [0], sibling: [0], ends: [0] }
  /** Node of the bytes before each depth. */
  const above = new Int32Array(most + 1)
  for (const [at, byte] of bytes.entries()) {
    const parent = above[depths[at]!]!
    const name = parent * 256 + classOf[byte]!
    let node = children.get(name)
    if (node === undefined) {
      node = tree.bytes.push(byte) - 1
      tree.sibling.push(tree.firstChild[parent]!)
      tree.firstChild.push(0)
      tree.ends.push(0)
      tree.firstChild[parent] = node
      children.set(name, node)
    }
    if (begins[at + 1]! > begins[at]!) tree.ends[node] = 1
    above[depths[at]! + 1] = node
  }
  return {
    bytes: Uint8Array.from(tree.bytes),
    firstChild: Int32Array.from(tree.firstChild),
    sibling: Int32Array.from(tree.sibling),
    ends: Uint8Array.from(tree.ends),
    depth: most,
  }
}

/** Children of a node. */
export function* childrenOf({ firstChild, sibling }: ClassTree, parent: number): Generator<number, void> {
  for (let node = firstChild[parent]!; node !== 0; node = sibling[node]!) yield node
}

/**
 * Runs an automaton over all texts below `root`, from the state after its last byte. Calls `found` with each state that a token
 * leads to, possibly more than once. Returns the number of nodes visited.
 */
export function walkClasses(
  { bytes, firstChild, sibling, ends, depth: most }: ClassTree,
  next: (state: number, byte: number) => number,
  [root, from]: readonly [node: number, state: number],
  found: (state: number) => void,
): number {
  const nodes = new Int32Array(most + 1)
  const states = new Array<number>(most + 1).fill(from)
  let [depth, visited] = [0, 1]
  if (ends[root] === 1) found(from)
  nodes[0] = firstChild[root]!
  while (depth >= 0) {
    const node = nodes[depth]!
    if (node === 0) {
      depth--
      continue
    }
    visited++
    nodes[depth] = sibling[node]!
    const state = next(states[depth]!, bytes[node]!)
    if (state === DEAD) continue
    if (ends[node] === 1) found(state)
    if (firstChild[node] === 0) continue
    depth++
    nodes[depth] = firstChild[node]!
    states[depth] = state
  }
  return visited
}
