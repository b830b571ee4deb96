import { AttuneError, type Budget } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { type ByteAutomaton, DEAD } from './byte-automaton.js'
import { WORTH_OF_A_TOKEN } from './pattern-error.js'
import { walkTrie } from './token-trie.js'
import type { Vocabulary } from './vocabulary.js'

/** An automaton whose texts can be brought to an end with the tokens of a vocabulary. */
export interface TokenAutomaton extends ByteAutomaton {
  /**
   * In how many tokens a text can be ended from a state: 0 exactly where it may end, `Infinity` where it cannot be. From
   * each other state some token leads to one with a smaller number.
   */
  left(state: number): number
}

/** What may come next, and the most tokens that any of it leaves to be written. */
interface Allowed {
  readonly mask: Uint8Array
  readonly most: number
}

/** A constraint that tells what it was made of. */
export interface TokenConstraint extends Constraint {
  readonly automaton: TokenAutomaton
  readonly vocabulary: Vocabulary
  /** What work in the automaton is counted by. */
  readonly budgets: readonly Budget[]
}

const CACHE_BYTES = 64 * 1024 * 1024

function bounded<T>(most: number): { get(key: number): T | undefined; set(key: number, value: T): T } {
  const kept = new Map<number, T>()
  return {
    get(key) {
      const value = kept.get(key)
      if (value === undefined) return undefined
      // The one that was asked for last stands last.
      kept.delete(key)
      kept.set(key, value)
      return value
    },
    set(key, value) {
      kept.set(key, value)
      if (kept.size > most) kept.delete(kept.keys().next().value as number)
      return value
    },
  }
}

/** The tokens that may come next in a state, if at most `limit` may be left after them. */
function allowedIn(
  automaton: TokenAutomaton,
  { trie, texts, ends }: Vocabulary,
  state: number,
  limit: number,
): Allowed {
  const size = ends.reduce((most, id) => Math.max(most, id + 1), texts.length)
  const mask = new Uint8Array(size)
  let most = 0
  walkTrie(trie, automaton.next, state, (id, to) => {
    const left = automaton.left(to)
    if (left > limit) return
    mask[id] = 1
    if (left > most) most = left
  })
  if (automaton.accepts(state)) for (const id of ends) mask[id] = 1
  return { mask, most }
}

/**
 * The constraint that what is written is a text of an automaton. Where few tokens remain, only those are allowed with which
 * the text can still be ended in time; where too few remain from the start, those that bring the end nearer.
 *
 * What each state allows is worked out when a text first gets there, by one walk of the automaton along all tokens at once,
 * and kept, as far as 64 MB reach. Do not change what `allowed` gives. Source: Willard and Louf, Efficient Guided Generation
 * for Large Language Models, 2023, section 3, with the index made as it is needed.
 */
export function tokenConstraint(
  automaton: TokenAutomaton,
  vocabulary: Vocabulary,
  budgets: readonly Budget[],
): TokenConstraint {
  const kept = bounded<Allowed>(Math.max(16, Math.floor(CACHE_BYTES / (vocabulary.texts.length + 1))))
  return {
    automaton,
    vocabulary,
    budgets,
    allowed(state, remaining) {
      const limit = Math.max(remaining, automaton.left(state)) - 1
      let all = kept.get(state)
      if (all === undefined) {
        for (const budget of budgets) budget.allow(WORTH_OF_A_TOKEN)
        // What leaves Infinity to be written leads nowhere.
        all = kept.set(state, allowedIn(automaton, vocabulary, state, Number.MAX_VALUE))
      }
      return all.most <= limit ? all.mask : allowedIn(automaton, vocabulary, state, limit).mask
    },
    next(state, token) {
      let to = state
      for (const byte of vocabulary.texts[token] ?? []) if (to !== DEAD) to = automaton.next(to, byte)
      if (to !== DEAD && automaton.left(to) < Infinity) return to
      throw new AttuneError(
        'BAD_ARGUMENT',
        `the token that follows must be one that is allowed, got ${token} in state ${state}`,
        'Ask `allowed(state, remaining)` first.',
      )
    },
  }
}
