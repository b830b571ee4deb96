import { AttuneError, type Budget, type Tokenizer, excerpt } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { type LazyAutomaton, byteAutomaton } from './byte-automaton.js'
import { type ByteGraph, NO_STATE, byteGraph } from './byte-graph.js'
import { wholePattern } from './parse-pattern.js'
import { type Pattern, optional, literal, sequence } from './pattern.js'
import { constraintBudget } from './pattern-error.js'
import { spelledEndings } from './spelled-endings.js'
import { tokenConstraint } from './token-constraint.js'
import { tokenDistances } from './token-distances.js'
import { type Vocabulary, vocabularyOf } from './vocabulary.js'

/** True if every byte of the texts that match is a token of its own. */
function spellsEachByte({ used }: ByteGraph, { texts }: Vocabulary): boolean {
  const alone = new Uint8Array(256)
  for (const text of texts) if (text?.length === 1) alone[text[0]!] = 1
  return used.isUsed.every((isUsed, byte) => isUsed === 0 || alone[byte] === 1)
}

/**
 * Returns the number of tokens to acceptance, by state. If each byte is a token, every byte path is also a token path, and the
 * shortest ending is an upper bound; otherwise all states are searched.
 */
function tokensLeft(graph: ByteGraph, automaton: LazyAutomaton, vocabulary: Vocabulary, budget: Budget) {
  if (!spellsEachByte(graph, vocabulary)) {
    const distances = tokenDistances(automaton, [0], vocabulary.trie, budget)
    return (state: number): number => distances.get(state) ?? Infinity
  }
  const fewest = spelledEndings(graph, vocabulary.trie, budget)
  const known: number[] = []
  return (state: number): number =>
    (known[state] ??= automaton.members(state).reduce((min, member) => Math.min(min, fewest(member)), Infinity))
}

/**
 * Constrains the output to the texts of a pattern. `named` names the pattern in errors.
 * @throws AttuneError `NOT_SPELLABLE`, `PATTERN_TOO_LARGE`, `BAD_ARGUMENT`, `UNKNOWN_DECODER`
 */
export function constrainTo(
  pattern: Pattern,
  tokenizer: Tokenizer,
  endIds: Iterable<number>,
  named: string,
  budget: Budget,
): Constraint {
  const vocabulary = vocabularyOf(tokenizer, endIds)
  const generated = vocabulary.leadingSpace ? sequence(optional(literal(' ')), pattern) : pattern
  const graph = byteGraph(generated, budget)
  if (graph.start === NO_STATE) throw new AttuneError('NOT_SPELLABLE', `no text satisfies ${named}`, 'Loosen it.')
  const automaton = byteAutomaton(graph, budget)
  const left = tokensLeft(graph, automaton, vocabulary, budget)
  if (left(0) === Infinity)
    throw new AttuneError(
      'NOT_SPELLABLE',
      `the tokens of the vocabulary spell no text that satisfies ${named}`,
      'Use a tokenizer with a token for each byte, or require only characters of the vocabulary.',
    )
  return tokenConstraint({ ...automaton, left }, vocabulary, [budget])
}

/**
 * Constrains the output to match a regular expression as a whole, from the first generated token to the end. For the syntax, see
 * `regularExpression`.
 *
 * Vocabularies that put a space before each word (SentencePiece, WordPiece) may generate one leading space. Others generate
 * exactly what matches: if the prompt does not end with a space and the output should start with one, start the pattern with ` ?`.
 * @param endIds end-of-sequence tokens, needed to generate; allowed exactly where the output matches
 * @throws AttuneError `BAD_PATTERN` if the pattern is not regular; `PATTERN_TOO_LARGE`, also during generation; `NOT_SPELLABLE` if
 *   the vocabulary cannot spell any matching text; `BAD_ARGUMENT`, `UNKNOWN_DECODER`
 *
 * @example
 * ```ts
 * import { constrainToPattern } from '@attune/generate'
 * import { tinyTokenizer } from '@attune/testkit/tiny'
 * const tokenizer = tinyTokenizer()
 * const date = constrainToPattern('[0-9]{4}-[0-9]{2}', tokenizer, [tokenizer.special.end!])
 * const first = [...date.allowed(0, 20)].flatMap((allowed, id) => (allowed === 1 ? [tokenizer.token(id)] : []))
 * console.log(first.join('')) // 0123456789
 * ```
 */
export const constrainToPattern = (pattern: string, tokenizer: Tokenizer, endIds: Iterable<number>): Constraint =>
  constrainTo(
    wholePattern(pattern),
    tokenizer,
    endIds,
    `the pattern ${excerpt(pattern, 200)}`,
    constraintBudget(pattern.length),
  )
