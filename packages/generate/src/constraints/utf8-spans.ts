import { normalized } from './character-set.js'
import type { Span } from './pattern.js'

/** Code point ranges by UTF-8 length; surrogates are not characters. */
const SAME_LENGTH: readonly (readonly [Span, bytes: number])[] = [
  [[0, 0x7f], 1],
  [[0x80, 0x7ff], 2],
  [[0x800, 0xd7ff], 3],
  [[0xe000, 0xffff], 3],
  [[0x10000, 0x10ffff], 4],
]

/** Marker bits of the first byte, by UTF-8 length. */
const MARKS = [0, 0, 0xc0, 0xe0, 0xf0]

/** UTF-8 encoding of a code point that takes `bytes` bytes. */
function bytesOf(codePoint: number, bytes: number): readonly number[] {
  const tail = Array.from({ length: bytes - 1 }, (_, i) => 0x80 | ((codePoint >> (6 * (bytes - 2 - i))) & 0x3f))
  return [MARKS[bytes]! | (codePoint >> (6 * (bytes - 1))), ...tail]
}

/** Intersection of sorted spans with a span. */
const clip = (spans: readonly Span[], [first, last]: Span): Span[] =>
  spans.flatMap(([from, to]) => (from > last || to < first ? [] : [[Math.max(from, first), Math.min(to, last)]]))

/** Splits a span of characters of `bytes` bytes until every byte after the first runs through a contiguous, independent range. */
function splitSpan([first, last]: Span, bytes: number): Span[] {
  for (let tail = 1; tail < bytes; tail++) {
    const block = 64 ** tail
    if (Math.floor(first / block) === Math.floor(last / block)) continue
    const from = first % block
    if (from !== 0) return [[first, first - from + block - 1], ...splitSpan([first - from + block, last], bytes)]
    const rest = last % block
    if (rest !== block - 1) return [...splitSpan([first, last - rest - 1], bytes), [last - rest, last]]
  }
  return [[first, last]]
}

/**
 * UTF-8 encoding of a set of characters, as sequences of one to four byte ranges: a character is in the set exactly if its bytes
 * lie in the ranges of one sequence. Surrogates, which UTF-8 cannot encode, are left out.
 * Source: RFC 3629, section 4 (Thompson and Pike's encoding).
 */
export function utf8Spans(spans: readonly Span[]): (readonly Span[])[] {
  const sorted = normalized(spans)
  return SAME_LENGTH.flatMap(([all, bytes]) =>
    clip(sorted, all).flatMap((span) =>
      splitSpan(span, bytes).map(([first, last]) => {
        const [from, to] = [bytesOf(first, bytes), bytesOf(last, bytes)]
        return from.map((byte, i): Span => [byte, to[i]!])
      }),
    ),
  )
}
