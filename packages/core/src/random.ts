import { kind } from './kind.js'

/**
 * A key of the counter-based generator Threefry-2x32: two unsigned 32-bit words. Keys are values: nothing is consumed,
 * and the same key always gives the same numbers.
 */
export type Key = readonly [number, number]

/** The key of a run, out of its seed, for a plugin that `needs` randomness of its own. */
export const RANDOMNESS = kind<Key>('randomness', 'one')

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const
const PARITY = 0x1bd11bda

/**
 * The Threefry-2x32 block function with 20 rounds: an encryption of `counter` under `key`.
 * Source: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011, section 3.3. JAX uses the same function.
 */
export function threefry([k0, k1]: Key, [c0, c1]: Key): Key {
  const schedule = [k0, k1, (k0 ^ k1 ^ PARITY) >>> 0] as const
  let x = (c0 + k0) >>> 0
  let y = (c1 + k1) >>> 0
  for (let round = 0; round < 20; round++) {
    const rotation = ROTATIONS[round % 8]!
    x = (x + y) >>> 0
    y = (((y << rotation) | (y >>> (32 - rotation))) ^ x) >>> 0
    if (round % 4 === 3) {
      const block = (round + 1) / 4
      x = (x + schedule[block % 3]!) >>> 0
      y = (y + schedule[(block + 1) % 3]! + block) >>> 0
    }
  }
  return [x, y]
}

/** The key of a seed. `seed` is a whole number in [0, 2⁵³). */
export const key = (seed: number): Key => [Math.floor(seed / 2 ** 32) >>> 0, seed >>> 0]

const hash = (word: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/**
 * Derives an independent key from `parent` for each distinct sequence of names and numbers, as in
 * `fold(key(7), 'shuffle', epoch)`. Names are hashed with FNV-1a; numbers are whole, in [0, 2³²).
 */
export const deriveKey = (parent: Key, ...path: readonly (string | number)[]): Key =>
  path.reduce<Key>((k, part) => threefry(k, typeof part === 'string' ? [hash(part), 1] : [part >>> 0, 0]), parent)

/**
 * A stream of uniform numbers in [0, 1), 24 bits each, read off successive counters under `key`.
 * Call it again for the next number; make it again from the key for the same numbers.
 */
export function stream(parent: Key): () => number {
  let counter = 0
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const [x, y] = threefry(parent, [counter % 2 ** 32, Math.floor(counter / 2 ** 32)])
    counter++
    spare = (y >>> 8) / 2 ** 24
    return (x >>> 8) / 2 ** 24
  }
}

/** Standard normal numbers from a uniform stream, by Box and Muller's transform (1958), two at a time. */
export function normals(random: () => number): () => number {
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()))
    const angle = 2 * Math.PI * random()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}

/** A shuffled copy: Fisher and Yates' algorithm in Durstenfeld's form (CACM algorithm 235, 1964). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1))
    ;[result[last], result[chosen]] = [result[chosen] as T, result[last] as T]
  }
  return result
}
