import type { Budget } from '@attune/core'
import { DEAD } from './byte-automaton.js'
import { STEPS_PER_NODE } from './pattern-error.js'
import { type KeywordAutomaton, type Progress, keywordAutomaton } from './keyword-automaton.js'
import { type TokenTrie, walkTrie } from './token-trie.js'
import { PLACES, utf8Steps } from './utf8-steps.js'

/** By number of the word's first bytes, the longest shorter beginning of it that they end with (Knuth, Morris and Pratt). */
function fallbacks(word: Uint8Array): number[] {
  const found = [0, 0]
  for (let count = 1; count < word.length; count++) {
    let shorter = found[count]!
    while (shorter > 0 && word[shorter] !== word[count]) shorter = found[shorter]!
    found.push(word[shorter] === word[count] ? shorter + 1 : 0)
  }
  return found
}

/**
 * Walks from two states along all texts at once, but not where both lead to the same state: calls `found` with where the first
 * leads. Returns how many nodes were looked at.
 */
function walkApart(
  { bytes, depths, skips, begins, depth: most }: TokenTrie,
  next: (state: number, byte: number) => number,
  [first, second]: readonly [number, number],
  found: (state: number) => void,
): number {
  const one = new Array<number>(most + 1).fill(first)
  const other = new Array<number>(most + 1).fill(second)
  let looked = 0
  for (let node = 0; node < bytes.length; looked++) {
    const [depth, byte] = [depths[node]!, bytes[node]!]
    const state = next(one[depth]!, byte)
    const beside = state === DEAD ? DEAD : next(other[depth]!, byte)
    if (state === beside) {
      node = skips[node]!
      continue
    }
    one[depth + 1] = state
    other[depth + 1] = beside
    node++
    if (begins[node]! > begins[node - 1]!) found(state)
  }
  return looked
}

/** Shortest ways along arrows that cost 0 or 1, from states whose distance is known: by state. */
function spread(
  known: ReadonlyMap<number, number>,
  into: (state: number, cost: 0 | 1) => Iterable<number>,
): ReadonlyMap<number, number> {
  const distances = new Map<number, number>()
  const layers: number[][] = []
  const reach = (state: number, distance: number): void => void (layers[distance] ??= []).push(state)
  for (const [state, distance] of known) reach(state, distance)
  for (let distance = 0; distance < layers.length; distance++)
    // A layer grows while it is walked.
    for (const state of layers[distance] ?? []) {
      if (distances.has(state)) continue
      distances.set(state, distance)
      for (const from of into(state, 0)) reach(from, distance)
      for (const from of into(state, 1)) reach(from, distance + 1)
    }
  return distances
}

/** By place, what a single token makes of a text that ends there with no beginning of any of some words. */
export function fromNothing(automaton: KeywordAutomaton, trie: TokenTrie, budget: Budget): Progress[][] {
  return Array.from({ length: PLACES }, (_, place) => {
    const states = new Set<number>()
    const found = (__: number, to: number): void => void states.add(to)
    budget.spend(STEPS_PER_NODE * walkTrie(trie, automaton.next, automaton.stateAt(0, place), found))
    return Array.from(states, (state) => automaton.progress(state))
  })
}

/**
 * In how many tokens one word can be written, by the states of its automaton in which it has not appeared.
 *
 * A text that ends with more of the word needs no more tokens than one that ends with less. So from each beginning of the word
 * only those tokens are looked at that lead elsewhere than from its fallback, and all tokens from no beginning alone.
 * @param first {@link fromNothing} of this word and others
 * @param toFinish in how many tokens a character is ended, by place
 */
export function keywordDistances(
  [word, number]: readonly [word: Uint8Array, number: number],
  trie: TokenTrie,
  first: readonly (readonly Progress[])[],
  toFinish: ReadonlyMap<number, number>,
  budget: Budget,
): ReadonlyMap<number, number> {
  const { next, stateAt, foundAt } = keywordAutomaton([word])
  const steps = utf8Steps()
  const into = new Map<number, Set<number>>()
  const over = new Map<number, number[]>()
  const lead = (from: number, to: number): void => void into.set(to, (into.get(to) ?? new Set()).add(from))
  for (const [place, ways] of first.entries())
    for (const { found, begun, place: to } of ways)
      lead(stateAt(0, place), (found & (1 << number)) !== 0 ? foundAt(to) : stateAt(begun[number]!, to))
  let place = 0
  for (const [count, shorter] of fallbacks(word).slice(0, word.length).entries()) {
    if (count > 0) {
      place = steps[place * 256 + word[count - 1]!]!
      const [from, back] = [stateAt(count, place), stateAt(shorter, place)]
      over.set(back, [...(over.get(back) ?? []), from])
      budget.spend(2 * STEPS_PER_NODE * walkApart(trie, next, [from, back], (to) => lead(from, to)))
    }
  }
  const ends = new Map([...toFinish].map(([at, distance]) => [foundAt(at), distance]))
  return spread(ends, (state, cost) => (cost === 0 ? (over.get(state) ?? []) : (into.get(state) ?? [])))
}
