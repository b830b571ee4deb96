import { AttuneError, type Budget, createBudget, shortened } from '@attune/core'

const SUBSET =
  'Use literals, escapes, classes, `.`, groups, `|` and the quantifiers * + ? {n} {n,} {n,m}, with ^ and $ only at the ends.'

/** Number of characters of a pattern shown in an error. */
const SHOWN = 200

/** Error for invalid or unsupported pattern syntax; `at` is an index in UTF-16 code units. */
export const badPattern = (source: string, at: number, why: string): AttuneError => {
  // Of a long pattern, show the part with the error.
  const [from, before] = source.length > SHOWN && at > SHOWN / 2 ? [at - SHOWN / 2, '…'] : [0, '']
  const shown = JSON.stringify(`${before}${shortened(source.slice(from), SHOWN)}`)
  return new AttuneError('BAD_PATTERN', `${why}, at ${at} of the pattern ${shown}`, SUBSET)
}

/** Error for a constraint that would take too much memory or time. */
export const tooLarge = (what: string): AttuneError =>
  new AttuneError(
    'PATTERN_TOO_LARGE',
    `the constraint is too large: ${what}`,
    'Lower or remove the upper counts in {n,m}, maxLength or maxItems: `maximumNewTokens` limits the output too.',
  )

/** About 0.3 s. */
const STEPS = 45_000_000

/** Cost of visiting a trie node, in budget steps. */
export const STEPS_PER_NODE = 3

/**
 * Budget of one constraint, for its construction and its use during generation.
 * @param inputBytes length of the pattern, schema or keywords
 */
export const constraintBudget = (inputBytes: number): Budget =>
  createBudget(inputBytes, (why) => tooLarge(why), { steps: STEPS, bytesPerByte: 128 })

/** Work that each new state reached during generation adds to the budget, in input bytes. */
export const ALLOWANCE_PER_STATE = 25_000
