import type { Budget } from '@attune/core'
import { type ByteAutomaton, DEAD } from './byte-automaton.js'
import { STEPS_PER_NODE, tooLarge } from './pattern-error.js'
import { childrenOf, classTree, walkClasses } from './token-classes.js'
import type { TokenTrie } from './token-trie.js'

const MAX_STATES = 20_000
/** Memory per transition, in bytes. */
const BYTES_PER_ARROW = 8

/** States in order of discovery, with the bundles of tokens that lead to each. */
function stateList() {
  const indices = new Map<number, number>()
  const states: number[] = []
  const bundles: number[][] = []
  return {
    states,
    bundles,
    indexOf(state: number): number {
      const known = indices.get(state)
      if (known !== undefined) return known
      if (states.length >= MAX_STATES) throw tooLarge(`it has more than ${MAX_STATES} states`)
      indices.set(state, states.length)
      bundles.push([])
      return states.push(state) - 1
    },
  }
}

/**
 * Reverse transitions by one token between all states reachable from the roots. Tokens with the same first byte that are read
 * from the same state after it form a bundle; many states share bundles, because most states coincide after one byte.
 */
function reverseTransitions(automaton: ByteAutomaton, roots: readonly number[], trie: TokenTrie, budget: Budget) {
  // The vocabulary counts as input too: about sixty walks over the trie.
  budget.allow(trie.bytes.length)
  budget.spend(10 * trie.bytes.length)
  const tree = classTree(trie, automaton.classOf)
  const { states, bundles, indexOf } = stateList()
  /** By bundle: the states whose next tokens it contains. */
  const users: number[][] = []
  const makeBundle = (node: number, state: number): number => {
    const bundle = users.push([]) - 1
    let before = NaN
    const found = (to: number): void => {
      // Consecutive tokens mostly lead to the same state.
      if (to === before) return
      before = to
      const into = bundles[indexOf(to)]!
      if (into.at(-1) === bundle) return
      budget.hold(BYTES_PER_ARROW)
      into.push(bundle)
    }
    budget.spend(STEPS_PER_NODE * walkClasses(tree, automaton.next, [node, state], found))
    return bundle
  }
  for (const root of roots) indexOf(root)
  const firsts = Array.from(childrenOf(tree, 0), (node) => ({ node, known: new Map<number, number>() }))
  for (let from = 0; from < states.length; from++) {
    budget.spend(5 * firsts.length)
    budget.hold(BYTES_PER_ARROW * firsts.length)
    for (const { node, known } of firsts) {
      const state = automaton.next(states[from]!, tree.bytes[node]!)
      if (state === DEAD) continue
      const bundle = known.get(state) ?? makeBundle(node, state)
      known.set(state, bundle)
      users[bundle]!.push(from)
    }
  }
  return { states, bundles, users }
}

/**
 * Fewest tokens from each state to an accepting one, for all states reachable from the roots. States missing from the result
 * cannot reach an accepting state.
 * @throws AttuneError `PATTERN_TOO_LARGE`
 */
export function tokenDistances(
  automaton: ByteAutomaton,
  roots: readonly number[],
  trie: TokenTrie,
  budget: Budget,
): ReadonlyMap<number, number> {
  const { states, bundles, users } = reverseTransitions(automaton, roots, trie, budget)
  const distances = new Map<number, number>()
  const done = new Uint8Array(users.length)
  for (const [index, state] of states.entries()) if (automaton.accepts(state)) distances.set(index, 0)
  for (const [index, distance] of distances)
    for (const bundle of bundles[index]!) {
      if (done[bundle] === 1) continue
      done[bundle] = 1
      for (const from of users[bundle]!) if (!distances.has(from)) distances.set(from, distance + 1)
    }
  return new Map(Array.from(distances, ([index, distance]) => [states[index]!, distance]))
}
