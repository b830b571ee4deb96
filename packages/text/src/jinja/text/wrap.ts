import { fail } from '../failure.js'
import { type Runtime, charge, chargeEntries } from '../runtime.js'
import { skipSpaces } from './characters.js'
import { lengthOf, slicePoints } from './points.js'

/** Options of line wrapping. */
export interface WrapStyle {
  /** Maximum length of a line in characters. */
  readonly width: number
  readonly breaksWords: boolean
  readonly breaksHyphens: boolean
}

const WORD = String.raw`[\p{L}\p{N}_]`
const PUNCTUATED = String.raw`[\p{L}\p{N}_!"'&.,?]`
const LETTER = String.raw`(?:(?!\p{Nd})[\p{L}\p{N}_])`
const SPACE = String.raw`[\t\n\v\f\r ]`
const NOT_SPACE = String.raw`[^\t\n\v\f\r ]`

/** Splits a line into chunks at the break opportunities of Python's textwrap. */
const CHUNK = new RegExp(
  `(${SPACE}+|(?<=${PUNCTUATED})-{2,}(?=${WORD})|${NOT_SPACE}+?(?:-(?:(?<=${LETTER}{2}-)|(?<=${LETTER}-${LETTER}-))(?=${LETTER}-?${LETTER})|(?=${SPACE}|$)|(?<=${PUNCTUATED})(?=-{2,}${WORD})))`,
  'u',
)
const SPACES = new RegExp(`(${SPACE}+)`, 'u')

const isBlank = (text: string): boolean => skipSpaces(text, 0) === text.length

/** First part of a word that is too long for a line. */
function firstPart(rt: Runtime, chunk: string, space: number, { breaksHyphens }: WrapStyle): string {
  const part = slicePoints(rt, chunk, 0, Math.min(space, lengthOf(rt, chunk)))
  const hyphen = breaksHyphens && part.length < chunk.length ? part.lastIndexOf('-') : -1
  return hyphen > 0 && /[^-]/.test(part.slice(0, hyphen)) ? part.slice(0, hyphen + 1) : part
}

/** Chunks of a line, as a stack with the next one on top. */
function chunksOf(rt: Runtime, line: string, { breaksHyphens }: WrapStyle): string[] {
  charge(rt, line)
  rt.spend(60 * line.length)
  rt.hold(60 * line.length)
  return line
    .split(breaksHyphens ? CHUNK : SPACES)
    .filter((chunk) => chunk !== undefined && chunk !== '')
    .reverse()
}

/** Takes the chunks that fit into a line. */
function takeLine(rt: Runtime, chunks: string[], style: WrapStyle): string[] {
  const { width, breaksWords } = style
  const line: string[] = []
  let length = 0
  while (chunks.length > 0) {
    const size = lengthOf(rt, chunks.at(-1)!)
    rt.spend(10)
    if (length + size > width) break
    length += size
    line.push(chunks.pop()!)
  }
  const next = chunks.at(-1)
  if (next !== undefined && lengthOf(rt, next) > width) {
    if (breaksWords) {
      const part = firstPart(rt, next, width - length, style)
      line.push(part)
      chunks[chunks.length - 1] = next.slice(part.length)
    } else if (line.length === 0) line.push(chunks.pop()!)
  }
  return line
}

/**
 * Wraps a line: Python's `textwrap.wrap` without changes to tabs and whitespace.
 * @throws Python's ValueError for a width below 1
 */
export function wordWrap(rt: Runtime, line: string, style: WrapStyle): readonly string[] {
  if (style.width <= 0) fail('ValueError', `invalid width ${style.width} (must be > 0)`)
  const chunks = chunksOf(rt, line, style)
  const lines: string[] = []
  while (chunks.length > 0) {
    if (lines.length > 0 && isBlank(chunks.at(-1)!)) chunks.pop()
    const taken = takeLine(rt, chunks, style)
    if (taken.length > 0 && isBlank(taken.at(-1)!)) taken.pop()
    chargeEntries(rt, taken.length)
    if (taken.length > 0) lines.push(taken.join(''))
  }
  return lines
}
