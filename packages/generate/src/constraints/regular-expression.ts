import { type ByteAutomaton, DEAD, byteAutomaton } from './byte-automaton.js'
import { byteGraph } from './byte-graph.js'
import { wholePattern } from './parse-pattern.js'
import { constraintBudget } from './pattern-error.js'

/**
 * Returns an automaton of the texts that match a regular expression as a whole.
 *
 * The syntax is the regular part of JavaScript's with the `u` flag: characters, escapes (`\d \D \w \W \s \S \t \n \v \f \r \0 \cX
 * \xXX \uXXXX \u{…}` and escaped punctuation), classes with ranges and `[^…]`, `.`, groups, `|`, and the quantifiers `* + ? {n}
 * {n,} {n,m}`. Groups do not capture, and lazy marks (`*?`) are ignored: neither changes which texts match. `^` and `$` are allowed
 * at the ends. Look-around, back-references, word boundaries, `\p{…}` and flags are rejected. Characters are code points: a lone
 * surrogate matches nothing.
 *
 * The automaton reads UTF-8 bytes, since a token may be part of a character. Its states are built on demand.
 * @throws AttuneError `BAD_PATTERN`, `PATTERN_TOO_LARGE`; the latter also from `next`
 */
export function regularExpression(pattern: string): ByteAutomaton {
  const budget = constraintBudget(pattern.length)
  return byteAutomaton(byteGraph(wholePattern(pattern), budget), budget)
}

/** True if an automaton accepts a text. */
export function matches(automaton: ByteAutomaton, text: string): boolean {
  let state = 0
  for (const byte of new TextEncoder().encode(text)) {
    state = automaton.next(state, byte)
    if (state === DEAD) return false
  }
  return automaton.accepts(state)
}
