import { joined } from './character-set.js'
import type { Span } from './pattern.js'

/** Code points that take as many bytes, and are characters: surrogates are not. */
const SAME_LENGTH: readonly (readonly [Span, bytes: number])[] = [
  [[0, 0x7f], 1],
  [[0x80, 0x7ff], 2],
  [[0x800, 0xd7ff], 3],
  [[0xe000, 0xffff], 3],
  [[0x10000, 0x10ffff], 4],
]

/** The first byte of a character of so many bytes, without the bits of its code point. */
const MARKS = [0, 0, 0xc0, 0xe0, 0xf0]

/** A code point in UTF-8, which takes so many bytes. */
function bytesOf(codePoint: number, bytes: number): readonly number[] {
  const tail = Array.from({ length: bytes - 1 }, (_, i) => 0x80 | ((codePoint >> (6 * (bytes - 2 - i))) & 0x3f))
  return [MARKS[bytes]! | (codePoint >> (6 * (bytes - 1))), ...tail]
}

/** The parts of sorted spans that lie in another. */
const within = (spans: readonly Span[], [first, last]: Span): Span[] =>
  spans.flatMap(([from, to]) => (from > last || to < first ? [] : [[Math.max(from, first), Math.min(to, last)]]))

/** Cuts a span, all of whose characters take `bytes` bytes, where the bytes after the first do not run through all values. */
function cut([first, last]: Span, bytes: number): Span[] {
  for (let tail = 1; tail < bytes; tail++) {
    const block = 64 ** tail
    if (Math.floor(first / block) === Math.floor(last / block)) continue
    const from = first % block
    if (from !== 0) return [[first, first - from + block - 1], ...cut([first - from + block, last], bytes)]
    const rest = last % block
    if (rest !== block - 1) return [...cut([first, last - rest - 1], bytes), [last - rest, last]]
  }
  return [[first, last]]
}

/**
 * The UTF-8 of a set of characters, as sequences of one to four ranges of bytes: a text is in the set exactly if its bytes
 * lie in the ranges of one of the sequences. Surrogates, which UTF-8 cannot spell, are left out.
 * Source: the ranges of Thompson and Pike's encoding as RFC 3629, section 4, lists them.
 */
export function utf8Spans(spans: readonly Span[]): (readonly Span[])[] {
  const sorted = joined(spans)
  return SAME_LENGTH.flatMap(([all, bytes]) =>
    within(sorted, all).flatMap((span) =>
      cut(span, bytes).map(([first, last]) => {
        const [from, to] = [bytesOf(first, bytes), bytesOf(last, bytes)]
        return from.map((byte, i): Span => [byte, to[i]!])
      }),
    ),
  )
}
