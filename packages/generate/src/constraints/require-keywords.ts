import { AttuneError, type Budget, type Tokenizer, excerpt } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { type KeywordAutomaton, keywordAutomaton } from './keyword-automaton.js'
import { fromNothing, keywordDistances } from './keyword-distances.js'
import { constraintBudget } from './pattern-error.js'
import { tokenConstraint } from './token-constraint.js'
import { tokenDistances } from './token-distances.js'
import type { TokenTrie } from './token-trie.js'
import { PLACES } from './utf8-steps.js'
import { vocabularyOf } from './vocabulary.js'

const MOST_WORDS = 16
const MOST_BYTES = 256
const MOST_ANSWERS = 100_000

/** The words in UTF-8. */
function bytesOf(words: readonly string[]): Uint8Array[] {
  const bytes = words.map((word) => new TextEncoder().encode(word))
  const wrong = bytes.findIndex(
    ({ length }, i) => length === 0 || length > MOST_BYTES || /\p{Surrogate}/u.test(words[i]!),
  )
  if (words.length >= 1 && words.length <= MOST_WORDS && wrong === -1) return bytes
  throw new AttuneError(
    'BAD_ARGUMENT',
    wrong >= 0
      ? `a required word must have 1 to ${MOST_BYTES} bytes of UTF-8, got ${excerpt(words[wrong])}`
      : `requireKeywords takes 1 to ${MOST_WORDS} words, got ${words.length}`,
    'Pass fewer words, each a short text.',
  )
}

/**
 * In how many tokens all missing words can be written: the one that is begun best from where it stands, and the others from
 * their beginnings. Words that overlap could be written with fewer.
 */
function tokensLeft(automaton: KeywordAutomaton, words: readonly Uint8Array[], trie: TokenTrie, budget: Budget) {
  const places = Array.from({ length: PLACES }, (_, place) => place)
  const toFinish = tokenDistances(keywordAutomaton([]), places, trie, budget)
  const first = fromNothing(automaton, trie, budget)
  const toWrite = words.map((word, i) => {
    const distances = keywordDistances([word, i], trie, first, toFinish, budget)
    return (begun: number, place: number): number => distances.get(begun * PLACES + place) ?? Infinity
  })
  const whole = toWrite.map((tokens) => tokens(0, 0))
  const left = (state: number): number => {
    const { found, begun, place } = automaton.progress(state)
    let [sum, saved, missing] = [0, -Infinity, false]
    for (let i = 0; i < words.length; i++) {
      if ((found & (1 << i)) !== 0) continue
      missing = true
      sum += whole[i]!
      saved = Math.max(saved, whole[i]! - toWrite[i]!(begun[i]!, place))
    }
    return missing ? sum - saved : (toFinish.get(place) ?? Infinity)
  }
  return { left, whole }
}

/** Remembers answers, up to some number of them: many tokens lead to the same state. */
function remembering(compute: (state: number) => number): (state: number) => number {
  const known = new Map<number, number>()
  return (state) => {
    const before = known.get(state)
    if (before !== undefined) return before
    if (known.size >= MOST_ANSWERS) known.clear()
    const answer = compute(state)
    known.set(state, answer)
    return answer
  }
}

/**
 * The constraint that all of some words appear in what is written, in any order; all else is free. The end is not allowed
 * before. When as many tokens remain as the missing words take, they are written: so they appear within the limit of tokens,
 * if that suffices for them at all.
 *
 * A word is a text, as it is spelled: `art` appears in `party` too. Begin it with a space where it should begin a word.
 *
 * Near neighbour: constrained beam search (Hokamp and Liu, Lexically Constrained Decoding, 2017) keeps beams for each number
 * of words; here each text must have all of them, whatever searches.
 * @param words 1 to 16 of them
 * @param endIds the tokens that end a text
 * @throws AttuneError `BAD_ARGUMENT`; `NOT_SPELLABLE` if the vocabulary cannot write a word; `UNKNOWN_DECODER`
 */
export function requireKeywords(words: readonly string[], tokenizer: Tokenizer, endIds: Iterable<number>): Constraint {
  const bytes = bytesOf(words)
  const vocabulary = vocabularyOf(tokenizer, endIds)
  const automaton = keywordAutomaton(bytes)
  const budget = constraintBudget(bytes.reduce((sum, { length }) => sum + length, 0))
  const { left, whole } = tokensLeft(automaton, bytes, vocabulary.trie, budget)
  const missing = whole.indexOf(Infinity)
  if (missing >= 0)
    throw new AttuneError(
      'NOT_SPELLABLE',
      `a required word must be spelled by the tokens of the vocabulary, and ${excerpt(words[missing])} is not`,
      'Leave it out, or write it with characters and capitals that the vocabulary has.',
    )
  return tokenConstraint({ ...automaton, left: remembering(left) }, vocabulary, [budget])
}
