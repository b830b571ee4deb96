import type { CodePointMap } from './code-points.js'
import type { Expression } from './expression.js'
import type { Work } from './work.js'

/** Integers by index. */
interface Numbers {
  [index: number]: number
}

/**
 * A text, and for each of its UTF-16 units the part of the original text that it came from, from `starts` to before
 * `ends`. The two units of a surrogate pair have the same part.
 */
export interface AlignedText {
  readonly text: string
  /** Index of the first unit in `starts` and `ends`, which parts of a text share. */
  readonly first: number
  readonly starts: Numbers
  readonly ends: Numbers
}

/** Units below which plain arrays are faster: most texts are words. */
const SHORT = 256

/** Bytes that a unit takes, with its alignment. */
const BYTES_PER_UNIT = 18

/** Counts the memory of so many units of aligned text; a negative number gives it back. */
export const holdUnits = (work: Work, units: number): void => work.hold(BYTES_PER_UNIT * units)

/** A text as it stands in the original, from `at` on. */
export function aligned(text: string, at: number): AlignedText {
  // Of known length: no list has to grow.
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

/** The units from `start` to before `end`. */
export const sliceOf = ({ text, first, starts, ends }: AlignedText, start: number, end: number): AlignedText => ({
  text: text.slice(start, end),
  first: first + start,
  starts,
  ends,
})

/** The units of the character at an index. */
const widthAt = (text: string, at: number): number => (text.codePointAt(at)! > 0xffff ? 2 : 1)

/** Strings that are joined at once: added one by one, they would be a tree of as many strings. */
const BATCH = 1024

/** Writes a long text with its alignment. */
interface Writer {
  /** Adds some units that all come from the same part. */
  add(units: string, start: number, end: number): void
  /** Adds units of another text as they are. */
  copy(given: AlignedText, from: number, to: number): void
  done(): AlignedText
}

const enlarged = (values: Int32Array<ArrayBuffer>, room: number): Int32Array<ArrayBuffer> => {
  const made = new Int32Array(room)
  made.set(values)
  return made
}

/** @param units the length of the text, as far as it is known */
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
    starts = enlarged(starts, room)
    ends = enlarged(ends, room)
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
    copy(given, from, to) {
      reserve(to - from)
      for (let i = given.first + from; i < given.first + to; i++) {
        starts[length] = given.starts[i]!
        ends[length++] = given.ends[i]!
      }
      append(given.text.slice(from, to))
    },
    done: () => ({ text: [...joined, ...batch].join(''), first: 0, starts, ends }),
  }
}

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
  const { text, first, starts, ends } = given
  const { add, done } = writer(given.text.length)
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

/** Steps for a text, for a unit of it that is read or written, and for a replacement that is not remembered. */
const [STEPS_PER_TEXT, STEPS_PER_UNIT, STEPS_PER_MISS] = [20, 6, 40]

/**
 * Replaces each character by itself with none, one or more.
 * @param replacements the text in the place of each code point, a few units at most
 */
export function replaced(given: AlignedText, replacements: CodePointMap<string>, work: Work): AlignedText {
  const { get, misses } = replacements
  const before = misses()
  work.spend(STEPS_PER_TEXT + STEPS_PER_UNIT * given.text.length)
  const made = given.text.length < SHORT ? replacedInShort(given, get) : replacedInLong(given, get)
  work.spend(STEPS_PER_UNIT * made.text.length + STEPS_PER_MISS * (misses() - before))
  return made
}

function replacedInShort({ text, first, starts, ends }: AlignedText, replacement: (code: number) => string) {
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

function replacedInLong({ text, first, starts, ends }: AlignedText, replacement: (code: number) => string) {
  const { add, done } = writer(text.length)
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at)!
    add(replacement(code), starts[first + at]!, ends[first + at]!)
    at += code > 0xffff ? 2 : 1
  }
  return done()
}

/** The same text with another before it, which has the part of the first character. */
export function prefixed(given: AlignedText, prefix: string, work: Work): AlignedText {
  if (given.text === '') return given
  work.spend(STEPS_PER_TEXT + STEPS_PER_UNIT * (prefix.length + given.text.length))
  const { first, starts, ends } = given
  const { add, copy, done } = writer(given.text.length)
  add(prefix, starts[first]!, ends[first]!)
  copy(given, 0, given.text.length)
  return done()
}

/** The same text between two others, which have the parts of the first character and of the last. */
export function enclosed(given: AlignedText, before: string, after: string): AlignedText {
  const { first, starts, ends } = given
  const last = first + given.text.length - 1
  const { add, copy, done } = writer(given.text.length)
  add(before, starts[first]!, ends[first]!)
  copy(given, 0, given.text.length)
  add(after, starts[last]!, ends[last]!)
  return done()
}

/**
 * The same text with every match of an expression replaced; the replacement has the part of the last character that it
 * replaces.
 */
export function substituted(given: AlignedText, expression: Expression, content: string, work: Work): AlignedText {
  const { first, starts, ends } = given
  const { add, copy, done } = writer(given.text.length)
  let [from, held] = [0, 0]
  work.spend(STEPS_PER_UNIT * given.text.length)
  expression.each(given.text, work, (start, end) => {
    copy(given, from, start)
    work.spend(STEPS_PER_UNIT * content.length)
    holdUnits(work, content.length)
    held += content.length
    add(content, starts[first + end - 1]!, ends[first + end - 1]!)
    from = end
  })
  copy(given, from, given.text.length)
  holdUnits(work, -held)
  return done()
}
