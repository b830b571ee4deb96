import type { Work } from './work.js'

/** An expression that texts are searched by. */
export interface Expression {
  /**
   * Calls back with the start and the end of each match, from the left and never two over each other, as a RegExp with the
   * flag `g` finds them. Empty matches are left out.
   */
  each(text: string, work: Work, found: (start: number, end: number) => void): void
}

/** Steps that JavaScript's matcher takes for a unit of a text, and for a match. */
const [STEPS_PER_UNIT, STEPS_PER_MATCH] = [4, 20]

/**
 * The same by a regular expression of JavaScript's own, with the flags `gu`, that takes time in proportion to the text.
 * @param longest units that it compares at one place at most, where it does not go on after them
 */
export function native(expression: RegExp, longest = 0): Expression {
  const match = (text: string, at: number, work: Work): RegExpExecArray | null => {
    // Set each time: a search may run inside another with the same expression.
    expression.lastIndex = at
    try {
      return expression.exec(text)
    } catch (error) {
      // A run of millions of characters overflows the stack of the matcher.
      if (error instanceof RangeError) return work.refuse('a run of characters without a break is too long')
      throw error
    }
  }
  return {
    each(text, work, found) {
      work.spend((STEPS_PER_UNIT + longest / 4) * text.length)
      for (let at = 0; at < text.length;) {
        const matched = match(text, at, work)
        if (matched === null) return
        const start = matched.index
        at = start + matched[0].length
        work.spend(STEPS_PER_MATCH)
        if (at > start) found(start, at)
        else at++
      }
    },
  }
}
