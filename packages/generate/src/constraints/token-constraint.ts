import { AttuneError, type Budget } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { type ByteAutomaton, DEAD } from './byte-automaton.js'
import { ALLOWANCE_PER_STATE } from './pattern-error.js'
import { walkTrie } from './token-trie.js'
import type { Vocabulary } from './vocabulary.js'

/** Deterministic automaton that knows how many tokens of a vocabulary each state is from acceptance. */
export interface TokenAutomaton extends ByteAutomaton {
  /**
   * Number of tokens to an accepting state: 0 exactly for accepting states, `Infinity` if none can be reached. From every other
   * state some token leads to a smaller number.
   */
  left(state: number): number
}

/** Mask of the tokens allowed next, and the largest number of remaining tokens that any of them requires. */
interface Allowed {
  readonly mask: Uint8Array
  readonly most: number
}

/** A constraint that exposes its automaton. */
export interface TokenConstraint extends Constraint {
  readonly automaton: TokenAutomaton
  readonly vocabulary: Vocabulary
  /** Budgets that account for the work of the automaton. */
  readonly budgets: readonly Budget[]
}

const CACHE_BYTES = 64 * 1024 * 1024

function bounded<T>(most: number): { get(key: number): T | undefined; set(key: number, value: T): T } {
  const kept = new Map<number, T>()
  return {
    get(key) {
      const value = kept.get(key)
      if (value === undefined) return undefined
      // Least recently used entries come first.
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

/** Tokens allowed in a state if at most `limit` further tokens may be needed after them. */
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
  if (ends.length === 0 && mask.every((allowed) => allowed === 0))
    throw new AttuneError(
      'NOTHING_ALLOWED',
      'the constrained output is complete, and the constraint has no end-of-sequence token to end it with',
      'Pass `[tokenizer.special.end]` or the result of `endTokens(components)` when you make the constraint.',
    )
  return { mask, most }
}

/**
 * Constrains the output to the language of an automaton. When few tokens remain, it allows only tokens from which the output can
 * still be completed in time; if too few remain from the start, only tokens that come closer to the end.
 *
 * The mask of each state is computed when generation first reaches the state, by one walk over the token trie, and cached in an
 * LRU cache of up to 64 MB. Do not modify the masks that `allowed` returns. Without end-of-sequence tokens, `allowed` throws AttuneError
 * `NOTHING_ALLOWED` where the output is complete and nothing may follow. Source: Willard and Louf, Efficient Guided Generation
 * for Large Language Models, 2023, section 3, with the index built lazily.
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
        for (const budget of budgets) budget.allow(ALLOWANCE_PER_STATE)
        // A state at distance Infinity is a dead end.
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
        `expected an allowed token, got ${token} in state ${state}`,
        'Call `allowed(state, remaining)` and pass one of the tokens it allows.',
      )
    },
  }
}
