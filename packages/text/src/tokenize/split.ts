import type { AlignedText } from './aligned-text.js'
import { sliceOf } from './aligned-text.js'
import type { Expression } from './expression.js'
import type { Work } from './work.js'

/** Treatment of the matches that a text is split at. */
export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'

/** Receives the words of a text, from left to right. */
export type Receiver = (word: AlignedText) => void

/** True if a part is merged with the previous one, given whether each is a match. */
type Joins = (match: boolean, before: boolean) => boolean
const JOINS: Readonly<Record<SplitBehavior, Joins>> = {
  Removed: () => false,
  Isolated: () => false,
  Contiguous: (match, before) => match === before,
  MergedWithPrevious: (match, before) => match && !before,
  MergedWithNext: (match, before) => !match && before,
}

/** Steps per word, for its string. */
const STEPS_PER_WORD = 20

/**
 * Splits a text at the matches of an expression.
 * @param invert splits at the text between the matches instead
 */
export function split(
  input: AlignedText,
  expression: Expression,
  { behavior, invert = false }: { readonly behavior: SplitBehavior; readonly invert?: boolean },
  work: Work,
  receive: Receiver,
): void {
  const joins = JOINS[behavior]
  // The pending part, which the next one may be merged with, from `start` to `end`; none if it is empty.
  let [start, end, before] = [0, 0, false]
  const flush = (): void => {
    if (end === start || (behavior === 'Removed' && before)) return
    work.spend(STEPS_PER_WORD)
    receive(sliceOf(input, start, end))
  }
  const add = (to: number, matched: boolean): void => {
    if (to === end) return
    const match = matched !== invert
    if (end === start || !joins(match, before)) {
      flush()
      start = end
    }
    ;[end, before] = [to, match]
  }
  expression.each(input.text, work, (from, to) => {
    add(from, false)
    add(to, true)
  })
  add(input.text.length, false)
  flush()
}
