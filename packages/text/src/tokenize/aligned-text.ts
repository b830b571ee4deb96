import type { Expression } from './linear-regex.js'

/**
 * A text, and for each of its UTF-16 units the part of the original text that it came from, from `starts` to before
 * `ends`. The two units of a surrogate pair have the same part.
 */
export interface AlignedText {
  readonly text: string
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** A character, and how it came to be: 0 in the place of one, 1 added after the last one, −n in the place of one and n more. */
export type Change = readonly [character: string, change: number]

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
  return { text, starts, ends }
}

/** The units from `start` to before `end`. */
export const sliceOf = ({ text, starts, ends }: AlignedText, start: number, end: number): AlignedText =>
  start === 0 && end === text.length
    ? { text, starts, ends }
    : { text: text.slice(start, end), starts: starts.slice(start, end), ends: ends.slice(start, end) }

/** The units of the character at a place. */
const widthAt = (text: string, at: number): number => (text.codePointAt(at)! > 0xffff ? 2 : 1)

/**
 * The text that changes make of another, aligned as the Rust library aligns it: what takes the place of a character has
 * its part of the original, what is added has that of the character before, and what is taken away takes its part along.
 * @param skipped how many characters are taken away at the beginning
 */
export function changed(given: AlignedText, changes: Iterable<Change>, skipped = 0): AlignedText {
  const starts: number[] = []
  const ends: number[] = []
  let text = ''
  let at = 0
  for (let n = 0; n < skipped; n++) at += widthAt(given.text, at)
  for (const [character, change] of changes) {
    const from = change > 0 ? at - 1 : at
    for (let i = 0; i < character.length; i++) {
      starts.push(given.starts[from] ?? 0)
      ends.push(given.ends[from] ?? 0)
    }
    text += character
    if (change <= 0) for (let n = 0; n <= -change; n++) at += widthAt(given.text, at)
  }
  return { text, starts, ends }
}

/** Each character by itself, replaced by none, one or more. */
export function replaced(given: AlignedText, replacement: (character: string) => string): AlignedText {
  const starts: number[] = []
  const ends: number[] = []
  let text = ''
  let at = 0
  for (const character of given.text) {
    const put = replacement(character)
    for (let i = 0; i < put.length; i++) {
      starts.push(given.starts[at]!)
      ends.push(given.ends[at]!)
    }
    text += put
    at += character.length
  }
  return { text, starts, ends }
}

/** With a text before it, which has the part of the first character. */
export function prefixed(given: AlignedText, prefix: string): AlignedText {
  if (given.text === '') return given
  const added = Array.from({ length: prefix.length }, () => 0)
  return {
    text: prefix + given.text,
    starts: [...added.map(() => given.starts[0]!), ...given.starts],
    ends: [...added.map(() => given.ends[0]!), ...given.ends],
  }
}

/** With every match of an expression replaced; the replacement has the part of the last character that it replaces. */
export function substituted(given: AlignedText, expression: Expression, content: string): AlignedText {
  const starts: number[] = []
  const ends: number[] = []
  let text = ''
  let from = 0
  const keep = (to: number): void => {
    text += given.text.slice(from, to)
    for (let i = from; i < to; i++) {
      starts.push(given.starts[i]!)
      ends.push(given.ends[i]!)
    }
  }
  for (const match of expression.matchAll(given.text)) {
    keep(match.index)
    from = match.index + match[0].length
    text += content
    for (let i = 0; i < content.length; i++) {
      starts.push(given.starts[from - 1] ?? 0)
      ends.push(given.ends[from - 1] ?? 0)
    }
  }
  keep(given.text.length)
  return { text, starts, ends }
}
