import { AttuneError } from '@attune/core'

/** Co-occurrence counts in columnar form, with `first ≤ second`. */
export interface Pairs {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly weights: Float32Array
}

/** A table that sums weights of pairs. */
export interface PairTable {
  add(a: number, b: number, weight: number): void
  pairs(): Pairs
}

/** Maximum load factor. */
const MAXIMUM_LOAD = 0.7

const slotOf = (a: number, b: number, mask: number): number => {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca6b)
  return (mixed ^ (mixed >>> 15)) & mask
}

interface Slots {
  /** −1 for an empty slot. */
  readonly first: Int32Array
  readonly second: Int32Array
  readonly weights: Float64Array
}

const emptySlots = (count: number): Slots => ({
  first: new Int32Array(count).fill(-1),
  second: new Int32Array(count),
  weights: new Float64Array(count),
})

/** Returns the slot that holds a pair, or the free slot for it. */
function find({ first, second }: Slots, a: number, b: number): number {
  const mask = first.length - 1
  let slot = slotOf(a, b, mask)
  while (first[slot] !== -1 && (first[slot] !== a || second[slot] !== b)) slot = (slot + 1) & mask
  return slot
}

function put(slots: Slots, a: number, b: number, weight: number): boolean {
  const slot = find(slots, a, b)
  const isNew = slots.first[slot] === -1
  slots.first[slot] = a
  slots.second[slot] = b
  slots.weights[slot]! += weight
  return isNew
}

function grown(slots: Slots): Slots {
  const larger = emptySlots(slots.first.length * 2)
  for (const [slot, a] of slots.first.entries()) if (a >= 0) put(larger, a, slots.second[slot]!, slots.weights[slot]!)
  return larger
}

/**
 * Open-addressing hash table in typed arrays, 16 bytes per slot; a `Map` needs five times as much and is limited to 2²⁴ pairs.
 * @throws AttuneError (from `add`) `TOO_MANY_PAIRS` beyond `maximumPairs`
 */
export function pairTable(maximumPairs: number): PairTable {
  let slots = emptySlots(1024)
  let count = 0
  return {
    add(a, b, weight) {
      if (!put(slots, Math.min(a, b), Math.max(a, b), weight)) return
      count++
      if (count > maximumPairs)
        throw new AttuneError(
          'TOO_MANY_PAIRS',
          `expected at most ${maximumPairs} distinct word pairs (\`maximumPairs\`) in the corpus, got more`,
          'Raise `minimumCount`, lower `window`, or raise `maximumPairs` (up to 70 bytes of memory per pair).',
        )
      if (count > MAXIMUM_LOAD * slots.first.length) slots = grown(slots)
    },
    pairs() {
      const pairs = {
        first: new Int32Array(count),
        second: new Int32Array(count),
        weights: new Float32Array(count),
      }
      let at = 0
      for (const [slot, a] of slots.first.entries()) {
        if (a < 0) continue
        pairs.first[at] = a
        pairs.second[at] = slots.second[slot]!
        pairs.weights[at++] = slots.weights[slot]!
      }
      return pairs
    },
  }
}
