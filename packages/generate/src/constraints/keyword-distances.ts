import type { Budget } from '@attune/core'
import { DEAD } from './byte-automaton.js'
import { STEPS_PER_NODE } from './pattern-error.js'
import { type KeywordAutomaton, type Progress, keywordAutomaton } from './keyword-automaton.js'
import { type TokenTrie, walkTrie } from './token-trie.js'
import { POSITIONS, utf8Steps } from './utf8-steps.js'

/** Knuth–Morris–Pratt failure function: by prefix length, the longest shorter prefix of the word that the prefix ends with. */
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
 * Runs an automaton over all texts of a trie from two states at once, and skips texts after which both are in the same state. Calls
 * `found` with the first one's state. Returns the number of nodes visited.
 */
function walkDiverging(
  { bytes, depths, skips, begins, depth: most }: TokenTrie,
  next: (state: number, byte: number) => number,
  [first, second]: readonly [number, number],
  found: (state: number) => void,
): number {
  const one = new Array<number>(most + 1).fill(first)
  const other = new Array<number>(most + 1).fill(second)
  let visited = 0
  for (let node = 0; node < bytes.length; visited++) {
    const [depth, byte] = [depths[node]!, bytes[node]!]
    const state = next(one[depth]!, byte)
    const otherState = state === DEAD ? DEAD : next(other[depth]!, byte)
    if (state === otherState) {
      node = skips[node]!
      continue
    }
    one[depth + 1] = state
    other[depth + 1] = otherState
    node++
    if (begins[node]! > begins[node - 1]!) found(state)
  }
  return visited
}

/** Shortest distances along edges of cost 0 or 1 (0-1 BFS), from states with known distances, by state. */
function shortestDistances(
  known: ReadonlyMap<number, number>,
  into: (state: number, cost: 0 | 1) => Iterable<number>,
): ReadonlyMap<number, number> {
  const distances = new Map<number, number>()
  const layers: number[][] = []
  const reach = (state: number, distance: number): void => void (layers[distance] ??= []).push(state)
  for (const [state, distance] of known) reach(state, distance)
  for (let distance = 0; distance < layers.length; distance++)
    // The layer grows during iteration.
    for (const state of layers[distance] ?? []) {
      if (distances.has(state)) continue
      distances.set(state, distance)
      for (const from of into(state, 0)) reach(from, distance)
      for (const from of into(state, 1)) reach(from, distance + 1)
    }
  return distances
}

/** By position, the progress after each single token from a text that ends there with no prefix of any keyword. */
export function progressFromStart(automaton: KeywordAutomaton, trie: TokenTrie, budget: Budget): Progress[][] {
  return Array.from({ length: POSITIONS }, (_, position) => {
    const states = new Set<number>()
    const found = (__: number, to: number): void => void states.add(to)
    budget.spend(STEPS_PER_NODE * walkTrie(trie, automaton.next, automaton.stateAt(0, position), found))
    return Array.from(states, (state) => automaton.progress(state))
  })
}

/**
 * Number of tokens to complete one keyword, by the states of its automaton in which it has not occurred.
 *
 * A text that ends with a longer prefix of the keyword never needs more tokens than one with a shorter prefix. So for each prefix
 * only the tokens that lead elsewhere than from its fallback are visited, and all tokens only for the empty prefix.
 * @param first {@link progressFromStart} of this keyword and others
 * @param toFinish number of tokens to complete a character, by position
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
  for (const [position, ways] of first.entries())
    for (const { found, matched, position: to } of ways)
      lead(stateAt(0, position), (found & (1 << number)) !== 0 ? foundAt(to) : stateAt(matched[number]!, to))
  let position = 0
  for (const [count, shorter] of fallbacks(word).slice(0, word.length).entries()) {
    if (count > 0) {
      position = steps[position * 256 + word[count - 1]!]!
      const [from, back] = [stateAt(count, position), stateAt(shorter, position)]
      over.set(back, [...(over.get(back) ?? []), from])
      budget.spend(2 * STEPS_PER_NODE * walkDiverging(trie, next, [from, back], (to) => lead(from, to)))
    }
  }
  const ends = new Map([...toFinish].map(([at, distance]) => [foundAt(at), distance]))
  return shortestDistances(ends, (state, cost) => (cost === 0 ? (over.get(state) ?? []) : (into.get(state) ?? [])))
}
