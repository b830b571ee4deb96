import { AttuneError, type Budget, type Tokenizer, excerpt } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { type KeywordAutomaton, keywordAutomaton } from './keyword-automaton.js'
import { progressFromStart, keywordDistances } from './keyword-distances.js'
import { constraintBudget } from './pattern-error.js'
import { tokenConstraint } from './token-constraint.js'
import { tokenDistances } from './token-distances.js'
import type { TokenTrie } from './token-trie.js'
import { POSITIONS } from './utf8-steps.js'
import { vocabularyOf } from './vocabulary.js'

const MAX_WORDS = 16
const MAX_BYTES = 256
const MAX_MEMOIZED = 100_000

/** Keywords in UTF-8. */
function bytesOf(words: readonly string[]): Uint8Array[] {
  const bytes = words.map((word) => new TextEncoder().encode(word))
  const wrong = bytes.findIndex(
    ({ length }, i) => length === 0 || length > MAX_BYTES || /\p{Surrogate}/u.test(words[i]!),
  )
  if (words.length >= 1 && words.length <= MAX_WORDS && wrong === -1) return bytes
  throw new AttuneError(
    'BAD_ARGUMENT',
    wrong >= 0
      ? `expected keywords of 1 to ${MAX_BYTES} bytes of UTF-8, got ${excerpt(words[wrong])}`
      : `requireKeywords expects 1 to ${MAX_WORDS} keywords, got ${words.length}`,
    'Pass fewer or shorter keywords.',
  )
}

/**
 * Number of tokens to complete all missing keywords: the best partial match is continued, the others are counted from their start.
 * Overlapping keywords may need fewer.
 */
function tokensLeft(automaton: KeywordAutomaton, words: readonly Uint8Array[], trie: TokenTrie, budget: Budget) {
  const positions = Array.from({ length: POSITIONS }, (_, position) => position)
  const toFinish = tokenDistances(keywordAutomaton([]), positions, trie, budget)
  const first = progressFromStart(automaton, trie, budget)
  const toWrite = words.map((word, i) => {
    const distances = keywordDistances([word, i], trie, first, toFinish, budget)
    return (matched: number, position: number): number => distances.get(matched * POSITIONS + position) ?? Infinity
  })
  const whole = toWrite.map((tokens) => tokens(0, 0))
  const left = (state: number): number => {
    const { found, matched, position } = automaton.progress(state)
    let [sum, saved, missing] = [0, -Infinity, false]
    for (let i = 0; i < words.length; i++) {
      if ((found & (1 << i)) !== 0) continue
      missing = true
      sum += whole[i]!
      saved = Math.max(saved, whole[i]! - toWrite[i]!(matched[i]!, position))
    }
    return missing ? sum - saved : (toFinish.get(position) ?? Infinity)
  }
  return { left, whole }
}

/** Memoizes `compute`, up to a number of states: many tokens lead to the same state. */
function memoize(compute: (state: number) => number): (state: number) => number {
  const known = new Map<number, number>()
  return (state) => {
    const before = known.get(state)
    if (before !== undefined) return before
    if (known.size >= MAX_MEMOIZED) known.clear()
    const answer = compute(state)
    known.set(state, answer)
    return answer
  }
}

/**
 * Constrains the output to contain all keywords, in any order, with any text around them. The end token is masked until then.
 * When no more tokens remain than the missing keywords take, they are forced, so they occur within the token limit if they fit
 * at all.
 *
 * Keywords match as substrings: `art` also matches in `party`. Start a keyword with a space to match at the start of a word.
 *
 * Near neighbour: constrained beam search (Hokamp and Liu, Lexically Constrained Decoding, 2017) keeps a beam for each number of
 * satisfied keywords; here every sequence must contain all of them, with any search.
 * @param words 1 to 16 keywords
 * @param endIds end-of-sequence tokens
 * @throws AttuneError `BAD_ARGUMENT`; `NOT_SPELLABLE` if the vocabulary cannot spell a keyword; `UNKNOWN_DECODER`
 *
 * @example
 * ```ts
 * import { requireKeywords } from '@attune/generate'
 * import { tinyTokenizer } from '@attune/testkit/tiny'
 * const tokenizer = tinyTokenizer()
 * const cat = requireKeywords(['cat'], tokenizer, [tokenizer.special.end!])
 * const first = [...cat.allowed(0, 3)].flatMap((allowed, id) => (allowed === 1 ? [tokenizer.token(id)] : []))
 * console.log(first.join('')) // c
 * ```
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
      `the tokens of the vocabulary cannot spell the keyword ${excerpt(words[missing])}`,
      'Remove it, or spell it with characters and capitals of the vocabulary.',
    )
  return tokenConstraint({ ...automaton, left: memoize(left) }, vocabulary, [budget])
}
