import { AttuneError } from '@attune/core'

const SUBSET =
  'Write it with literals, escapes, classes, `.`, groups, `|` and the quantifiers * + ? {n} {n,} {n,m}; ^ and $ only at the ends.'

/** The error for something in a pattern that cannot be read; `at` counts UTF-16 units from 0. */
export const badPattern = (source: string, at: number, why: string): AttuneError =>
  new AttuneError('BAD_PATTERN', `${why}, at ${at} of the pattern ${JSON.stringify(source)}`, SUBSET)

/** The error for a pattern whose automaton would take too much memory. */
export const tooLarge = (what: string): AttuneError =>
  new AttuneError(
    'PATTERN_TOO_LARGE',
    `a constraint must stay small enough to be held in memory, and ${what}`,
    'Lower the counts in {n,m}, maxLength or maxItems, or leave them out: the limit of new tokens ends a text too.',
  )
