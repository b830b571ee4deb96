import { AttuneError, type Example } from '@attune/core'

/** A replay buffer: a uniform sample of all rows so far. */
export interface Reservoir {
  /** Number of rows in the buffer. */
  readonly size: number
  /** Offers a row, which replaces a random one if the buffer is full. */
  add(example: Example): void
  /** Rows of the buffer, without repetition, in random order; all of them if there are fewer than `count`. */
  sample(count: number): readonly Example[]
  clear(): void
}

/**
 * Reservoir sampling (algorithm R): after n rows, each is in the buffer with probability capacity / n, in constant memory. Used as a
 * replay buffer against forgetting.
 * Source: Vitter, Random Sampling with a Reservoir, 1985, section 2; as a replay buffer: Chaudhry et al., On Tiny Episodic Memories
 * in Continual Learning, 2019, section 3.
 * @param capacity maximum number of rows, at least 1
 * @param random uniform numbers in [0, 1)
 * @throws AttuneError `BAD_ARGUMENT` for a capacity that is not a positive integer
 *
 * @example
 * ```ts
 * import { reservoir } from '@attune/trainer'
 * const buffer = reservoir(10, Math.random)
 * for (let i = 0; i < 100; i++) buffer.add({ text: `row ${i}` })
 * console.log(buffer.size, buffer.sample(3).length) // 10 3
 * ```
 */
export function reservoir(capacity: number, random: () => number): Reservoir {
  if (!Number.isInteger(capacity) || capacity < 1)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `reservoir: expected a capacity of at least 1, got ${capacity}`,
      'Pass a positive integer, such as 1000.',
    )
  const rows: Example[] = []
  let seen = 0
  return {
    get size() {
      return rows.length
    },
    add(example) {
      const at = rows.length < capacity ? rows.length : Math.floor(random() * (seen + 1))
      seen++
      if (at < capacity) rows[at] = example
    },
    sample(count) {
      const left = [...rows]
      const taken = Math.min(count, left.length)
      for (let i = 0; i < taken; i++) {
        const j = i + Math.floor(random() * (left.length - i))
        ;[left[i], left[j]] = [left[j]!, left[i]!]
      }
      return left.slice(0, taken)
    },
    clear() {
      rows.length = 0
      seen = 0
    },
  }
}
