import type { CodePointMap } from './code-points.js'
import type { Expression } from './expression.js'
import type { Work } from './work.js'

/** Integers by index. */
interface Numbers {
  [index: number]: number
}

/**
 * A text with its alignment: for each UTF-16 unit the range of the original text that it came from, from `starts` to before
 * `ends`. Both units of a surrogate pair have the same range.
 */
export interface AlignedText {
  readonly text: string
  /** Index of the first unit in `starts` and `ends`, which slices of a text share. */
  readonly first: number
  readonly starts: Numbers
  readonly ends: Numbers
}

/** Length in units below which plain arrays are faster; most texts are words. */
const SHORT = 256

/** Bytes per unit, including its alignment. */
const BYTES_PER_UNIT = 18

/** Accounts for the memory of a number of units of aligned text; a negative number releases it. */
export const holdUnits = (work: Work, units: number): void => work.hold(BYTES_PER_UNIT * units)

/** A text that is aligned with itself, starting at `at` in the original. */
export function aligned(text: string, at: number): AlignedText {
  // Preallocated, to avoid growing.
  const isShort = text.length < SHORT
  const starts: Numbers = isShort ? [] : new Int32Array(text.length)
  const ends: Numbers = isShort ? [] : new Int32Array(text.length)
  for (let i = 0; i < text.length;) {
    const width = widthAt(text, i)
    for (const end = i + width; i < end; i++) {
      starts[i] = at
      ends[i] = at + width
    }
    at += width
  }
  return { text, first: 0, starts, ends }
}

/** The slice from `start` to before `end`, in units. */
export const sliceOf = ({ text, first, starts, ends }: AlignedText, start: number, end: number): AlignedText => ({
  text: text.slice(start, end),
  first: first + start,
  starts,
  ends,
})

/** Length of the character at an index, in units. */
const widthAt = (text: string, at: number): number => (text.codePointAt(at)! > 0xffff ? 2 : 1)

/** Number of strings joined at once; concatenating them one by one builds a rope with as many nodes. */
const BATCH = 1024

/** Builds a long text with its alignment. */
interface Writer {
  /** Appends units that all come from the same range. */
  add(units: string, start: number, end: number): void
  /** Copies units of another text with their alignment. */
  copy(input: AlignedText, from: number, to: number): void
  done(): AlignedText
}

const enlarge = (values: Int32Array<ArrayBuffer>, room: number): Int32Array<ArrayBuffer> => {
  const made = new Int32Array(room)
  made.set(values)
  return made
}

/** @param units the expected length of the text */
function writer(units: number): Writer {
  let [starts, ends] = [new Int32Array(units), new Int32Array(units)]
  let length = 0
  const joined: string[] = []
  let batch: string[] = []
  const append = (text: string): void => {
    batch.push(text)
    if (batch.length < BATCH) return
    joined.push(batch.join(''))
    batch = []
  }
  const reserve = (count: number): void => {
    if (length + count <= starts.length) return
    const room = 2 * (length + count)
    starts = enlarge(starts, room)
    ends = enlarge(ends, room)
  }
  return {
    add(text, start, end) {
      reserve(text.length)
      for (let i = 0; i < text.length; i++) {
        starts[length] = start
        ends[length++] = end
      }
      append(text)
    },
    copy(input, from, to) {
      reserve(to - from)
      for (let i = input.first + from; i < input.first + to; i++) {
        starts[length] = input.starts[i]!
        ends[length++] = input.ends[i]!
      }
      append(input.text.slice(from, to))
    },
    done: () => ({ text: [...joined, ...batch].join(''), first: 0, starts, ends }),
  }
}

/** Builds a text from another one, character by character. */
export interface Rewriter {
  /**
   * Appends a character, aligned as in the Rust library: a replacement takes the range of the character that it replaces
   * (`change` 0), an inserted one the range of the previous character (1), and one that replaces n + 1 characters the first of
   * their ranges (−n).
   */
  put(character: string, change: number): void
  /** Skips characters at the beginning. */
  skip(characters: number): void
  done(): AlignedText
}

/** Creates a builder of a text from another one. */
export function rewriter(input: AlignedText): Rewriter {
  const { text, first, starts, ends } = input
  const { add, done } = writer(input.text.length)
  let at = 0
  const skip = (characters: number): void => {
    for (let n = 0; n < characters; n++) at += widthAt(text, at)
  }
  return {
    put(character, change) {
      const from = change > 0 ? at - 1 : at
      const isInside = from >= 0 && from < text.length
      add(character, isInside ? starts[first + from]! : 0, isInside ? ends[first + from]! : 0)
      if (change <= 0) skip(1 - change)
    },
    skip,
    done,
  }
}

/** Steps per text, per unit that is read or written, and per replacement that is not cached. */
const [STEPS_PER_TEXT, STEPS_PER_UNIT, STEPS_PER_MISS] = [20, 6, 40]

/**
 * Replaces each character independently by zero or more characters.
 * @param replacements the replacement of each code point, a few units at most
 */
export function replaceCharacters(input: AlignedText, replacements: CodePointMap<string>, work: Work): AlignedText {
  const { get, misses } = replacements
  const before = misses()
  work.spend(STEPS_PER_TEXT + STEPS_PER_UNIT * input.text.length)
  const made = input.text.length < SHORT ? replaceInShort(input, get) : replaceInLong(input, get)
  work.spend(STEPS_PER_UNIT * made.text.length + STEPS_PER_MISS * (misses() - before))
  return made
}

function replaceInShort({ text, first, starts, ends }: AlignedText, replacement: (code: number) => string) {
  const made = { text: '', first: 0, starts: [] as number[], ends: [] as number[] }
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at)!
    const put = replacement(code)
    made.text += put
    for (let i = 0; i < put.length; i++) {
      made.starts.push(starts[first + at]!)
      made.ends.push(ends[first + at]!)
    }
    at += code > 0xffff ? 2 : 1
  }
  return made
}

function replaceInLong({ text, first, starts, ends }: AlignedText, replacement: (code: number) => string) {
  const { add, done } = writer(text.length)
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at)!
    add(replacement(code), starts[first + at]!, ends[first + at]!)
    at += code > 0xffff ? 2 : 1
  }
  return done()
}

/** Prepends a prefix, aligned with the first character. */
export function addPrefix(input: AlignedText, prefix: string, work: Work): AlignedText {
  if (input.text === '') return input
  work.spend(STEPS_PER_TEXT + STEPS_PER_UNIT * (prefix.length + input.text.length))
  const { first, starts, ends } = input
  const { add, copy, done } = writer(input.text.length)
  add(prefix, starts[first]!, ends[first]!)
  copy(input, 0, input.text.length)
  return done()
}

/** Adds a prefix and a suffix, aligned with the first and the last character. */
export function enclose(input: AlignedText, before: string, after: string): AlignedText {
  const { first, starts, ends } = input
  const last = first + input.text.length - 1
  const { add, copy, done } = writer(input.text.length)
  add(before, starts[first]!, ends[first]!)
  copy(input, 0, input.text.length)
  add(after, starts[last]!, ends[last]!)
  return done()
}

/** Replaces every match of an expression; a replacement is aligned with the last character of its match. */
export function substitute(input: AlignedText, expression: Expression, content: string, work: Work): AlignedText {
  const { first, starts, ends } = input
  const { add, copy, done } = writer(input.text.length)
  let [from, held] = [0, 0]
  work.spend(STEPS_PER_UNIT * input.text.length)
  expression.each(input.text, work, (start, end) => {
    copy(input, from, start)
    work.spend(STEPS_PER_UNIT * content.length)
    holdUnits(work, content.length)
    held += content.length
    add(content, starts[first + end - 1]!, ends[first + end - 1]!)
    from = end
  })
  copy(input, from, input.text.length)
  holdUnits(work, -held)
  return done()
}
