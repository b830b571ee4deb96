import { AttuneError } from '@attune/core'

/** Pairs of words and how often they meet, as columns: `first ≤ second`. */
export interface Pairs {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly weights: Float32Array
}

/** Adds up weights of pairs. */
export interface PairTable {
  add(a: number, b: number, weight: number): void
  pairs(): Pairs
}

/** Slots are at most this full. */
const FULLEST = 0.7

const slotOf = (a: number, b: number, mask: number): number => {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca6b)
  return (mixed ^ (mixed >>> 15)) & mask
}

interface Slots {
  /** −1 where nothing is. */
  readonly first: Int32Array
  readonly second: Int32Array
  readonly weights: Float64Array
}

const slotsFor = (count: number): Slots => ({
  first: new Int32Array(count).fill(-1),
  second: new Int32Array(count),
  weights: new Float64Array(count),
})

/** The slot of a pair: the one that has it, or the one that it is to go to. */
function find({ first, second }: Slots, a: number, b: number): number {
  const mask = first.length - 1
  let slot = slotOf(a, b, mask)
  while (first[slot] !== -1 && (first[slot] !== a || second[slot] !== b)) slot = (slot + 1) & mask
  return slot
}

function put(slots: Slots, a: number, b: number, weight: number): boolean {
  const slot = find(slots, a, b)
  const fresh = slots.first[slot] === -1
  slots.first[slot] = a
  slots.second[slot] = b
  slots.weights[slot]! += weight
  return fresh
}

function widened(slots: Slots): Slots {
  const wider = slotsFor(slots.first.length * 2)
  for (const [slot, a] of slots.first.entries()) if (a >= 0) put(wider, a, slots.second[slot]!, slots.weights[slot]!)
  return wider
}

/**
 * A hash table in typed arrays, 16 bytes a slot: a `Map` takes five times as much and ends at 2²⁴ pairs.
 * @throws AttuneError (from `add`) `TOO_MANY_PAIRS` beyond `maximumPairs`
 */
export function pairTable(maximumPairs: number): PairTable {
  let slots = slotsFor(1024)
  let count = 0
  return {
    add(a, b, weight) {
      if (!put(slots, Math.min(a, b), Math.max(a, b), weight)) return
      count++
      if (count > maximumPairs)
        throw new AttuneError(
          'TOO_MANY_PAIRS',
          `the corpus must have at most \`maximumPairs\` different pairs of words, and it has more than ${maximumPairs}`,
          'Raise `minimumCount`, lower `window`, or raise `maximumPairs` where there is memory: up to 70 bytes a pair.',
        )
      if (count > FULLEST * slots.first.length) slots = widened(slots)
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
