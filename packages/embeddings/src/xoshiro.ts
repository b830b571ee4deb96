import { type Key, threefry } from '@attune/core'

const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

/** The generator whose state is these four words, not all of them zero. */
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
 * xoshiro128**: uniform whole numbers in [0, 2³²). Core's generator gives numbers of 24 bits, too coarse for large
 * vocabularies, and takes ten times as long; one is drawn here for every few additions.
 * Source: Blackman and Vigna, Scrambled Linear Pseudorandom Number Generators, 2021.
 */
export function xoshiro(key: Key): () => number {
  const [a, b] = threefry(key, [0, 0])
  const [c, d] = threefry(key, [1, 0])
  return xoshiroFrom([a | 1, b, c, d])
}

/** A number in [0, 1). */
export const share = (draw: () => number): number => draw() / 2 ** 32
