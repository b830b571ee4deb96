import { AttuneError, type Budget, type Tokenizer, excerpt } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { type LazyAutomaton, byteAutomaton } from './byte-automaton.js'
import { type ByteGraph, byteGraph } from './byte-graph.js'
import { wholePattern } from './parse-pattern.js'
import { type Pattern, optional, literal, sequence } from './pattern.js'
import { constraintBudget } from './pattern-error.js'
import { type ShortestEndings, shortestEndings } from './shortest-endings.js'
import { spelledEndings } from './spelled-endings.js'
import { tokenConstraint } from './token-constraint.js'
import { tokenDistances } from './token-distances.js'
import { type Vocabulary, vocabularyOf } from './vocabulary.js'

/** Whether each byte that a graph reads on a way to the end is a token by itself. */
function spellsEachByte(graph: ByteGraph, { length }: ShortestEndings, { texts }: Vocabulary): boolean {
  const alone = new Uint8Array(256)
  for (const text of texts) if (text?.length === 1) alone[text[0]!] = 1
  const spelled = (first: number, last: number): boolean => alone.subarray(first, last + 1).every((each) => each === 1)
  return graph.edges.every((edges) => edges.every(({ first, last, to }) => length[to] === -1 || spelled(first, last)))
}

/**
 * In how many tokens a text can be ended, by state. Where each byte is a token, what bytes can end tokens can, and the
 * shortest ending serves. Where not, only a search over all states tells.
 */
function tokensLeft(
  graph: ByteGraph,
  endings: ShortestEndings,
  automaton: LazyAutomaton,
  vocabulary: Vocabulary,
  budget: Budget,
) {
  if (!spellsEachByte(graph, endings, vocabulary)) {
    const distances = tokenDistances(automaton, [0], vocabulary.trie, budget)
    return (state: number): number => distances.get(state) ?? Infinity
  }
  const fewest = spelledEndings(graph, endings, vocabulary.trie, budget)
  const known: number[] = []
  return (state: number): number =>
    (known[state] ??= automaton.members(state).reduce((least, member) => Math.min(least, fewest[member]!), Infinity))
}

/**
 * The constraint that what is written is one of a set of texts. `named` is what to call the set in an error.
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
  const written = vocabulary.leadingSpace ? sequence(optional(literal(' ')), pattern) : pattern
  const graph = byteGraph(written, budget)
  const endings = shortestEndings(graph, budget)
  if (endings.length[graph.start] === -1)
    throw new AttuneError('NOT_SPELLABLE', `some text must satisfy ${named}, and none does`, 'Loosen it.')
  const automaton = byteAutomaton(graph, endings, budget)
  const left = tokensLeft(graph, endings, automaton, vocabulary, budget)
  if (left(0) === Infinity)
    throw new AttuneError(
      'NOT_SPELLABLE',
      `some text that satisfies ${named} must be spelled by the tokens of the vocabulary, and none is`,
      'Use a tokenizer that has a token for each byte, or ask for a text that has only characters which the vocabulary has.',
    )
  return tokenConstraint({ ...automaton, left }, vocabulary, [budget])
}

/**
 * The constraint that what is written matches a regular expression as a whole, from the first token that is written to the
 * end. For the syntax see `regularExpression`.
 *
 * Vocabularies that put a space before each word (SentencePiece, WordPiece) may write one before the text. Others write
 * exactly what matches: where a prompt does not end with a space and the text should begin with one, begin the pattern with
 * ` ?`.
 * @param endIds the tokens that end a text, which are allowed exactly where the text matches
 * @throws AttuneError `BAD_PATTERN` for what is not regular; `PATTERN_TOO_LARGE`, also while writing; `NOT_SPELLABLE` if the
 *   vocabulary cannot write any text that matches; `BAD_ARGUMENT`, `UNKNOWN_DECODER`
 */
export const constrainToPattern = (pattern: string, tokenizer: Tokenizer, endIds: Iterable<number>): Constraint =>
  constrainTo(
    wholePattern(pattern),
    tokenizer,
    endIds,
    `the pattern ${excerpt(pattern, 200)}`,
    constraintBudget(pattern.length),
  )
