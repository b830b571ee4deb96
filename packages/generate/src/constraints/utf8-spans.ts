import { intersection } from './character-set.js'
import type { Span } from './pattern.js'

/** Code points that take as many bytes, and are characters: surrogates are not. */
const SAME_LENGTH: readonly (readonly [Span, bytes: number])[] = [
  [[0, 0x7f], 1],
  [[0x80, 0x7ff], 2],
  [[0x800, 0xd7ff], 3],
  [[0xe000, 0xffff], 3],
  [[0x10000, 0x10ffff], 4],
]

const bytesOf = (codePoint: number): readonly number[] => [...new TextEncoder().encode(String.fromCodePoint(codePoint))]

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
  return SAME_LENGTH.flatMap(([all, bytes]) =>
    intersection(spans, [all]).flatMap((span) =>
      cut(span, bytes).map(([first, last]) => {
        const [from, to] = [bytesOf(first), bytesOf(last)]
        return from.map((byte, i): Span => [byte, to[i]!])
      }),
    ),
  )
}
