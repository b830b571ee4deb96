import { type ByteAutomaton, DEAD, byteAutomaton } from './byte-automaton.js'
import { byteGraph } from './byte-graph.js'
import { wholePattern } from './parse-pattern.js'
import { constraintBudget } from './pattern-error.js'
import { shortestEndings } from './shortest-endings.js'

/**
 * The automaton of the texts that match a regular expression as a whole.
 *
 * The syntax is JavaScript's with the `u` flag, where it is regular: characters, escapes (`\d \D \w \W \s \S \t \n \v \f \r
 * \0 \cX \xXX \uXXXX \u{…}` and signs), classes with ranges and `[^…]`, `.`, groups, `|`, and the quantifiers `* + ? {n} {n,}
 * {n,m}`. Groups capture nothing, and a lazy mark (`*?`) is read over: neither changes which texts match. `^` and `$` may
 * stand at the ends. Look-around, back-references, word boundaries, `\p{…}` and flags are refused. Characters are code
 * points: half of a surrogate pair matches nothing.
 *
 * The automaton reads bytes of UTF-8, since a token may be a part of a character. Its states are made as they are met.
 * @throws AttuneError `BAD_PATTERN`, `PATTERN_TOO_LARGE`; the latter also from `next`
 */
export function regularExpression(pattern: string): ByteAutomaton {
  const budget = constraintBudget(pattern.length)
  const graph = byteGraph(wholePattern(pattern), budget)
  return byteAutomaton(graph, shortestEndings(graph, budget), budget)
}

/** Whether an automaton accepts a text. */
export function matches(automaton: ByteAutomaton, text: string): boolean {
  let state = 0
  for (const byte of new TextEncoder().encode(text)) {
    state = automaton.next(state, byte)
    if (state === DEAD) return false
  }
  return automaton.accepts(state)
}
