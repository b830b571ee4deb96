import type { ByteAutomaton } from './byte-automaton.js'
import { tooLarge } from './pattern-error.js'
import { type TokenTrie, walkTrie } from './token-trie.js'

/** A walk over 50,000 tokens takes milliseconds: this is about a minute. */
const MOST_STATES = 20_000

/** Which states lead to which by one token, for all that can be reached from the roots. */
function arrowsInto(automaton: ByteAutomaton, roots: readonly number[], trie: TokenTrie) {
  const into = new Map<number, number[]>()
  for (const root of roots) into.set(root, [])
  // A map's keys are walked in the order in which they were put in, those that are put in meanwhile too.
  for (const state of into.keys()) {
    if (into.size > MOST_STATES) throw tooLarge(`this one has more than ${MOST_STATES} states`)
    const targets = new Set<number>()
    walkTrie(trie, automaton.next, state, (_, to) => void targets.add(to))
    for (const to of targets) {
      const sources = into.get(to)
      if (sources === undefined) into.set(to, [state])
      else sources.push(state)
    }
  }
  return into
}

/**
 * The fewest tokens from each state to one that accepts, for all states that tokens lead to from the roots; a state that is
 * not in the result cannot be led to an end with these tokens.
 * @throws AttuneError `PATTERN_TOO_LARGE`
 */
export function tokenDistances(
  automaton: ByteAutomaton,
  roots: readonly number[],
  trie: TokenTrie,
): ReadonlyMap<number, number> {
  const into = arrowsInto(automaton, roots, trie)
  const distances = new Map<number, number>()
  for (const state of into.keys()) if (automaton.accepts(state)) distances.set(state, 0)
  for (const [state, distance] of distances)
    for (const from of into.get(state)!) if (!distances.has(from)) distances.set(from, distance + 1)
  return distances
}
