import { type ByteAutomaton, DEAD } from './byte-automaton.js'
import { POSITIONS, utf8Steps } from './utf8-steps.js'

/** Meaning of a state of a {@link KeywordAutomaton}. */
export interface Progress {
  /** Keywords that have occurred: bit i for keyword i. */
  readonly found: number
  /** By keyword, the length of its longest prefix that the text ends with, in bytes. */
  readonly matched: readonly number[]
  /** Position within a character at the end of the text; 0 is between characters. */
  readonly position: number
}

/** Automaton of the UTF-8 texts that contain all of several keywords, in any order. */
export interface KeywordAutomaton extends ByteAutomaton {
  progress(state: number): Progress
  /** State of a text without any keyword that ends with `matched` bytes of the first one, or at a position within a character. */
  stateAt(matched: number, position: number): number
  /** State of a text that contains all keywords and ends at a position within a character. */
  foundAt(position: number): number
}

interface Tree {
  /** Node after a byte, at `node · 256 + byte`. */
  readonly next: Int32Array
  /** By node, bit set of the keywords that end there. */
  readonly found: Int32Array
  /** By node, the length of the prefix of each keyword that its text ends with. */
  readonly matched: readonly (readonly number[])[]
}

/** Trie of the keywords: by node, its children by byte. */
function children(words: readonly Uint8Array[]): Map<number, number>[] {
  const nodes = [new Map<number, number>()]
  for (const word of words) {
    let node = 0
    for (const byte of word) {
      const known = nodes[node]!.get(byte)
      if (known === undefined) nodes[node]!.set(byte, nodes.push(new Map()) - 1)
      node = known ?? nodes.length - 1
    }
  }
  return nodes
}

/**
 * Aho–Corasick automaton with all transitions precomputed. Source: Aho and Corasick, Efficient String Matching, 1975, algorithms
 * 2 to 4.
 */
function keywordTree(words: readonly Uint8Array[]): Tree {
  const nodes = children(words)
  const next = new Int32Array(nodes.length * 256)
  const found = new Int32Array(nodes.length)
  const matched = nodes.map(() => words.map(() => 0))
  const fallback = new Int32Array(nodes.length)
  const order = [0]
  for (const node of order) {
    // The fallback is shorter, so its transitions are known.
    if (node !== 0) next.copyWithin(node * 256, fallback[node]! * 256, fallback[node]! * 256 + 256)
    for (const [byte, child] of nodes[node]!) {
      fallback[child] = node === 0 ? 0 : next[fallback[node]! * 256 + byte]!
      next[node * 256 + byte] = child
      order.push(child)
    }
  }
  words.forEach((word, i) => {
    let node = 0
    word.forEach((byte, at) => {
      node = next[node * 256 + byte]!
      matched[node]![i] = at + 1
    })
    found[node]! |= 1 << i
  })
  for (const node of order.slice(1)) {
    const other = fallback[node]!
    found[node]! |= found[other]!
    words.forEach((_, i) => (matched[node]![i] = Math.max(matched[node]![i]!, matched[other]![i]!)))
  }
  return { next, found, matched }
}

/** Byte classes: bytes that occur in no keyword and have the same UTF-8 transitions share a class. */
function classesOf(words: readonly Uint8Array[], steps: Int8Array): Uint8Array {
  const used = new Set(words.flatMap((word) => [...word]))
  const names = new Map<string, number>()
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const positions = Array.from({ length: POSITIONS }, (__, position) => steps[position * 256 + byte]!)
    const name = used.has(byte) ? `byte ${byte}` : positions.join()
    const known = names.get(name) ?? names.size
    names.set(name, known)
    return known
  })
}

/** Builds the automaton of the texts that contain all of at most 16 keywords, given in UTF-8. */
export function keywordAutomaton(words: readonly Uint8Array[]): KeywordAutomaton {
  const { next, found, matched } = keywordTree(words)
  const steps = utf8Steps()
  const size = found.length * POSITIONS
  const all = 2 ** words.length - 1
  return {
    classOf: classesOf(words, steps),
    next(state, byte) {
      const rest = state % size
      const position = steps[(rest % POSITIONS) * 256 + byte]!
      if (position === DEAD) return DEAD
      const node = next[Math.floor(rest / POSITIONS) * 256 + byte]!
      const mask = Math.floor(state / size) | found[node]!
      // Once all keywords have occurred, no more matching is needed.
      return mask * size + (mask === all ? 0 : node * POSITIONS) + position
    },
    accepts: (state) => Math.floor(state / size) === all && state % POSITIONS === 0,
    progress: (state) => ({
      found: Math.floor(state / size),
      matched: matched[Math.floor((state % size) / POSITIONS)]!,
      position: state % POSITIONS,
    }),
    // Nodes of the first keyword are numbered in the order of its bytes.
    stateAt: (count, position) => count * POSITIONS + position,
    foundAt: (position) => all * size + position,
  }
}
