import type { Expression } from './expression.js'
import type { Work } from './work.js'

/**
 * A text, and for each of its UTF-16 units the part of the original text that it came from, from `starts` to before
 * `ends`. The two units of a surrogate pair have the same part.
 */
export interface AlignedText {
  readonly text: string
  /** Index of the first unit in `starts` and `ends`, which parts of a text share. */
  readonly first: number
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** Bytes that a unit takes, with its alignment. */
const BYTES_PER_UNIT = 26

/** A text as it stands in the original, from `at` on. */
export function aligned(text: string, at: number): AlignedText {
  const starts: number[] = []
  const ends: number[] = []
  for (const character of text) {
    const start = at
    at += character.length
    for (let i = 0; i < character.length; i++) {
      starts.push(start)
      ends.push(at)
    }
  }
  return { text, first: 0, starts, ends }
}

/** The units from `start` to before `end`. */
export const sliceOf = ({ text, first, starts, ends }: AlignedText, start: number, end: number): AlignedText => ({
  text: text.slice(start, end),
  first: first + start,
  starts,
  ends,
})

/** The units of the character at an index. */
const widthAt = (text: string, at: number): number => (text.codePointAt(at)! > 0xffff ? 2 : 1)

/** Writes a text that is made of another, piece by piece. */
export interface Rewriter {
  /**
   * Adds a character, aligned as the Rust library aligns it: one in the place of another has its part of the original (0),
   * an added one has that of the character before (1), and one in the place of several takes their parts along (−n for
   * one and n more).
   */
  put(character: string, change: number): void
  /** Leaves out characters at the beginning. */
  skip(characters: number): void
  done(): AlignedText
}

/** Starts a text that is made of another. */
export function rewriter(given: AlignedText): Rewriter {
  const starts: number[] = []
  const ends: number[] = []
  let text = ''
  let at = 0
  const skip = (characters: number): void => {
    for (let n = 0; n < characters; n++) at += widthAt(given.text, at)
  }
  return {
    put(character, change) {
      const from = change > 0 ? at - 1 : at
      const isInside = from >= 0 && from < given.text.length
      const [start, end] = isInside ? [given.starts[given.first + from]!, given.ends[given.first + from]!] : [0, 0]
      for (let i = 0; i < character.length; i++) {
        starts.push(start)
        ends.push(end)
      }
      text += character
      if (change <= 0) skip(1 - change)
    },
    skip,
    done: () => ({ text, first: 0, starts, ends }),
  }
}

/** Counts the memory of so many units of aligned text; a negative number gives it back. */
export const holdUnits = (work: Work, units: number): void => work.hold(BYTES_PER_UNIT * units)

/** Steps that {@link replaced} takes for a unit. */
const STEPS_PER_UNIT = 4

/**
 * Replaces each character by itself with none, one or more.
 * @param replacement the text in the place of a code point, a few units at most
 */
export function replaced(given: AlignedText, replacement: (code: number) => string, work: Work): AlignedText {
  const { text, first } = given
  work.spend(STEPS_PER_UNIT * text.length)
  const starts: number[] = []
  const ends: number[] = []
  let made = ''
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at)!
    const put = replacement(code)
    for (let i = 0; i < put.length; i++) {
      starts.push(given.starts[first + at]!)
      ends.push(given.ends[first + at]!)
    }
    made += put
    at += code > 0xffff ? 2 : 1
  }
  work.spend(STEPS_PER_UNIT * made.length)
  return { text: made, first: 0, starts, ends }
}

/** The same text with another before it, which has the part of the first character. */
export function prefixed(given: AlignedText, prefix: string, work: Work): AlignedText {
  if (given.text === '') return given
  work.spend(STEPS_PER_UNIT * (prefix.length + given.text.length))
  const { first } = given
  const withPrefix = (values: readonly number[]): number[] => {
    const result = Array.from({ length: prefix.length }, () => values[first]!)
    for (let i = 0; i < given.text.length; i++) result.push(values[first + i]!)
    return result
  }
  return { text: prefix + given.text, first: 0, starts: withPrefix(given.starts), ends: withPrefix(given.ends) }
}

/**
 * The same text with every match of an expression replaced; the replacement has the part of the last character that it
 * replaces.
 */
export function substituted(given: AlignedText, expression: Expression, content: string, work: Work): AlignedText {
  const { first } = given
  const starts: number[] = []
  const ends: number[] = []
  let text = ''
  let from = 0
  const keep = (to: number): void => {
    text += given.text.slice(from, to)
    for (let i = from; i < to; i++) {
      starts.push(given.starts[first + i]!)
      ends.push(given.ends[first + i]!)
    }
    work.spend(STEPS_PER_UNIT * (to - from))
  }
  let held = 0
  expression.each(given.text, work, (start, end) => {
    keep(start)
    from = end
    text += content
    work.spend(STEPS_PER_UNIT * content.length)
    holdUnits(work, content.length)
    held += content.length
    for (let i = 0; i < content.length; i++) {
      starts.push(given.starts[first + end - 1]!)
      ends.push(given.ends[first + end - 1]!)
    }
  })
  keep(given.text.length)
  holdUnits(work, -held)
  return { text, first: 0, starts, ends }
}
