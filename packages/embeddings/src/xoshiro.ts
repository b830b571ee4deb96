import { type Key, threefry } from '@attune/core'

const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

/** Creates the generator with a state of four words, not all zero. */
export function xoshiroFrom(words: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = words
  return () => {
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotated(d, 11)
    return result
  }
}

/**
 * xoshiro128**: uniform integers in [0, 2³²). The generator of `@attune/core` returns 24 random bits, too coarse for large
 * vocabularies, and is ten times slower, which matters here: every few additions need a random number.
 * Source: Blackman and Vigna, Scrambled Linear Pseudorandom Number Generators, 2021.
 */
export function xoshiro(key: Key): () => number {
  const [a, b] = threefry(key, [0, 0])
  const [c, d] = threefry(key, [1, 0])
  return xoshiroFrom([a | 1, b, c, d])
}

/** Returns a uniform number in [0, 1). */
export const uniform = (random: () => number): number => random() / 2 ** 32
