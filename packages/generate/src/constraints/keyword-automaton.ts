import { type ByteAutomaton, DEAD } from './byte-automaton.js'
import { PLACES, utf8Steps } from './utf8-steps.js'

/** What a state of a {@link KeywordAutomaton} says. */
export interface Progress {
  /** The words that have appeared: bit i for word i. */
  readonly found: number
  /** By word, how many of its first bytes the text ends with. */
  readonly begun: readonly number[]
  /** Where in a character the text ends; 0 is between characters. */
  readonly place: number
}

/** An automaton of texts in UTF-8 in which all of some words appear, in any order. */
export interface KeywordAutomaton extends ByteAutomaton {
  progress(state: number): Progress
  /** The state of a text that has none of the words yet and ends with so many bytes of the first one, or in such a place. */
  stateAt(begun: number, place: number): number
  /** The state of a text in which all words have appeared, in such a place. */
  foundAt(place: number): number
}

interface Tree {
  /** The node after a byte, at `node · 256 + byte`. */
  readonly next: Int32Array
  /** By node, the words that end there. */
  readonly found: Int32Array
  /** By node, how much of each word its text ends with. */
  readonly begun: readonly (readonly number[])[]
}

/** A tree of words: by node, its children by byte. */
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
 * The automaton that finds words, with all steps worked out. Source: Aho and Corasick, Efficient String Matching, 1975,
 * algorithms 2 to 4.
 */
function keywordTree(words: readonly Uint8Array[]): Tree {
  const nodes = children(words)
  const next = new Int32Array(nodes.length * 256)
  const found = new Int32Array(nodes.length)
  const begun = nodes.map(() => words.map(() => 0))
  const fallback = new Int32Array(nodes.length)
  const order = [0]
  for (const node of order) {
    // What follows the longest other word's beginning that this node's text ends with is known: it is shorter.
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
      begun[node]![i] = at + 1
    })
    found[node]! |= 1 << i
  })
  for (const node of order.slice(1)) {
    const other = fallback[node]!
    found[node]! |= found[other]!
    words.forEach((_, i) => (begun[node]![i] = Math.max(begun[node]![i]!, begun[other]![i]!)))
  }
  return { next, found, begun }
}

/** Bytes that occur in none of some words, and that UTF-8 treats alike, are of one class. */
function classesOf(words: readonly Uint8Array[], steps: Int8Array): Uint8Array {
  const used = new Set(words.flatMap((word) => [...word]))
  const names = new Map<string, number>()
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const places = Array.from({ length: PLACES }, (__, place) => steps[place * 256 + byte]!)
    const name = used.has(byte) ? `byte ${byte}` : places.join()
    const known = names.get(name) ?? names.size
    names.set(name, known)
    return known
  })
}

/** The automaton of the texts that have all of at most 16 words, which are given in UTF-8. */
export function keywordAutomaton(words: readonly Uint8Array[]): KeywordAutomaton {
  const { next, found, begun } = keywordTree(words)
  const steps = utf8Steps()
  const size = found.length * PLACES
  const all = 2 ** words.length - 1
  return {
    classOf: classesOf(words, steps),
    next(state, byte) {
      const rest = state % size
      const place = steps[(rest % PLACES) * 256 + byte]!
      if (place === DEAD) return DEAD
      const node = next[Math.floor(rest / PLACES) * 256 + byte]!
      const mask = Math.floor(state / size) | found[node]!
      // Once all words have appeared, nothing is looked for any more.
      return mask * size + (mask === all ? 0 : node * PLACES) + place
    },
    accepts: (state) => Math.floor(state / size) === all && state % PLACES === 0,
    progress: (state) => ({
      found: Math.floor(state / size),
      begun: begun[Math.floor((state % size) / PLACES)]!,
      place: state % PLACES,
    }),
    // The nodes of the first word are numbered in the order of its bytes.
    stateAt: (count, place) => count * PLACES + place,
    foundAt: (place) => all * size + place,
  }
}
