import { AttuneError, type Budget, createBudget, shortened } from '@attune/core'

const SUBSET =
  'Write it with literals, escapes, classes, `.`, groups, `|` and the quantifiers * + ? {n} {n,} {n,m}; ^ and $ only at the ends.'

/** Characters of a pattern that are shown. */
const SHOWN = 200

/** The error for something in a pattern that cannot be read; `at` counts UTF-16 units from 0. */
export const badPattern = (source: string, at: number, why: string): AttuneError => {
  // Of a long pattern the part that it is about.
  const [from, before] = source.length > SHOWN && at > SHOWN / 2 ? [at - SHOWN / 2, '…'] : [0, '']
  const shown = JSON.stringify(`${before}${shortened(source.slice(from), SHOWN)}`)
  return new AttuneError('BAD_PATTERN', `${why}, at ${at} of the pattern ${shown}`, SUBSET)
}

/** The error for a constraint that would take too much memory or time. */
export const tooLarge = (what: string): AttuneError =>
  new AttuneError(
    'PATTERN_TOO_LARGE',
    `a constraint must stay small enough to be held in memory and followed, and ${what}`,
    'Lower the counts in {n,m}, maxLength or maxItems, or leave them out: the limit of new tokens ends a text too.',
  )

/** Some 0.3 s. */
const STEPS = 45_000_000

/** What it costs to look at a node of a vocabulary, in steps of the budget. */
export const STEPS_PER_NODE = 3

/**
 * The budget of one constraint, for what is done when it is made and while it is followed.
 * @param inputBytes the length of the pattern, schema or words that it is made of
 */
export const constraintBudget = (inputBytes: number): Budget =>
  createBudget(inputBytes, (why) => tooLarge(why), { steps: STEPS, bytesPerByte: 128 })

/** What each new state that a text is in adds to the input: its token was worth as much work. */
export const WORTH_OF_A_TOKEN = 25_000
