import type { Work } from './work.js'

/** An expression that texts are searched for. */
export interface Expression {
  /**
   * Calls back with the start and the end of each match, from left to right without overlap, like a RegExp with the flag `g`.
   * Empty matches are skipped.
   */
  each(text: string, work: Work, found: (start: number, end: number) => void): void
}

/** Steps of JavaScript's matcher per unit of a text, and per match. */
const [STEPS_PER_UNIT, STEPS_PER_MATCH] = [4, 20]

/**
 * An expression that runs on a native regular expression with the flags `gu`. It must take time proportional to the text.
 * @param longest maximum number of units compared at one position without a match
 */
export function native(expression: RegExp, longest = 0): Expression {
  const match = (text: string, at: number, work: Work): RegExpExecArray | null => {
    // Set for each search: searches with the same expression may be nested.
    expression.lastIndex = at
    try {
      return expression.exec(text)
    } catch (error) {
      // A run of millions of characters overflows the matcher's stack.
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
