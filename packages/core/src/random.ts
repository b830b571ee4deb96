import { kind } from './kind.js'

/**
 * A key of the counter-based generator Threefry-2x32: two unsigned 32-bit words. Keys are stateless values, as in JAX: the same
 * key always yields the same numbers.
 */
export type Key = readonly [number, number]

/** The random key of a run, derived from its seed, for a plugin that `needs` randomness. */
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

/**
 * Creates a key from a seed, an integer in [0, 2⁵³).
 *
 * @example
 * ```ts
 * import { key } from '@attune/core'
 * console.log(key(7)) // [ 0, 7 ]
 * ```
 */
export const key = (seed: number): Key => [Math.floor(seed / 2 ** 32) >>> 0, seed >>> 0]

const hash = (word: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/**
 * Derives an independent key from `parent` for each path of names and numbers. Names are hashed with FNV-1a; numbers are integers
 * in [0, 2³²).
 *
 * @example
 * ```ts
 * import { deriveKey, key, stream } from '@attune/core'
 * const epochs = [0, 1].map((epoch) => stream(deriveKey(key(7), 'shuffle', epoch)))
 * console.log(epochs.map((random) => random())) // [ 0.03550535440444946, 0.15216833353042603 ]
 * ```
 */
export const deriveKey = (parent: Key, ...path: readonly (string | number)[]): Key =>
  path.reduce<Key>((k, part) => threefry(k, typeof part === 'string' ? [hash(part), 1] : [part >>> 0, 0]), parent)

/** Returns the numbers of pairs one by one. */
function oneByOne(next: () => readonly [number, number]): () => number {
  let [pair, at]: [readonly number[], number] = [[], 2]
  return () => {
    if (at === 2) [pair, at] = [next(), 0]
    return pair[at++]!
  }
}

/**
 * Returns a generator of uniform numbers in [0, 1) with 24 random bits each: Threefry of successive counters under the key.
 * Each call of the result returns the next number; a new stream of the same key repeats them.
 *
 * @example
 * ```ts
 * import { key, stream } from '@attune/core'
 * const random = stream(key(7))
 * console.log(random(), random()) // 0.844106912612915 0.4551742672920227
 * console.log(stream(key(7))()) // 0.844106912612915
 * ```
 */
export function stream(parent: Key): () => number {
  let counter = 0
  return oneByOne(() => {
    const [x, y] = threefry(parent, [counter % 2 ** 32, Math.floor(counter++ / 2 ** 32)])
    return [(x >>> 8) / 2 ** 24, (y >>> 8) / 2 ** 24]
  })
}

/** Returns a generator of standard normal numbers from a uniform one, by the Box–Muller transform (1958). */
export const normals = (random: () => number): (() => number) =>
  oneByOne(() => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()))
    const angle = 2 * Math.PI * random()
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })

/**
 * Returns a shuffled copy, by the Fisher–Yates shuffle in Durstenfeld's form (CACM algorithm 235, 1964).
 * @param random uniform numbers in [0, 1)
 *
 * @example
 * ```ts
 * import { key, shuffled, stream } from '@attune/core'
 * console.log(shuffled(['a', 'b', 'c', 'd'], stream(key(7)))) // [ 'c', 'a', 'b', 'd' ]
 * ```
 */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1))
    ;[result[last], result[chosen]] = [result[chosen] as T, result[last] as T]
  }
  return result
}
