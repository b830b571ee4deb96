import { complement } from './character-set.js'
import { parseEscape } from './parse-escape.js'
import type { Span } from './pattern.js'
import { badPattern } from './pattern-error.js'

const DASH: Span = [0x2d, 0x2d]

interface Atom {
  readonly spans: readonly Span[]
  readonly end: number
  readonly single: boolean
}

function atom(source: string, at: number, open: number, loose: boolean): Atom {
  const codePoint = source.codePointAt(at)
  if (codePoint === undefined) throw badPattern(source, open, 'a class that starts with [ must end with ]')
  if (source[at] === '\\') return parseEscape(source, at, true, loose)
  return { spans: [[codePoint, codePoint]], end: at + (codePoint > 0xffff ? 2 : 1), single: true }
}

/** Parses the range from `from`, whose dash is at its end. */
function range(source: string, from: Atom, open: number, loose: boolean): Atom {
  const to = atom(source, from.end + 1, open, loose)
  // Without the `u` flag, a dash next to a class is a character.
  if (loose && !(from.single && to.single))
    return { spans: [...from.spans, DASH, ...to.spans], end: to.end, single: false }
  if (!from.single || !to.single)
    throw badPattern(source, from.end, 'a range in a class must go from one character to another')
  const [first, last] = [from.spans[0]![0], to.spans[0]![0]]
  if (first > last) throw badPattern(source, from.end, 'a range in a class must be in ascending order')
  return { spans: [[first, last]], end: to.end, single: false }
}

/**
 * Parses the class whose bracket is at `open`: its code points, and its end.
 * @throws AttuneError `BAD_PATTERN`
 */
export function parseClass(source: string, open: number, loose = false): Pick<Atom, 'spans' | 'end'> {
  const negated = source[open + 1] === '^'
  const spans: Span[] = []
  let at = open + (negated ? 2 : 1)
  while (source[at] !== ']') {
    const from = atom(source, at, open, loose)
    const dash = source[from.end] === '-' && source[from.end + 1] !== ']'
    const read = dash ? range(source, from, open, loose) : from
    spans.push(...read.spans)
    at = read.end
  }
  return { spans: negated ? complement(spans) : spans, end: at + 1 }
}
