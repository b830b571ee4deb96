import { type Runtime, chargeEntries } from '../runtime.js'

/** True if the first comes before the second. */
export type IsBefore<T> = (first: T, second: T) => boolean

function merge<T>(
  from: readonly T[],
  to: T[],
  start: number,
  middle: number,
  end: number,
  isBefore: IsBefore<T>,
): void {
  let [left, right] = [start, middle]
  for (let at = start; at < end; at++) {
    const isRight = right < end && (left >= middle || isBefore(from[right]!, from[left]!))
    to[at] = isRight ? from[right++]! : from[left++]!
  }
}

/**
 * Stable merge sort. Makes as few comparisons as Python's sort in the worst case, with "is before" as its only comparison.
 * @param isBefore charges for its comparisons
 */
export function sorted<T>(rt: Runtime, items: readonly T[], isBefore: IsBefore<T>): readonly T[] {
  const count = items.length
  chargeEntries(rt, 2 * count)
  let [from, to] = [[...items], [...items]]
  for (let width = 1; width < count; width *= 2) {
    rt.spend(12 * count)
    for (let start = 0; start < count; start += 2 * width)
      merge(from, to, start, Math.min(start + width, count), Math.min(start + 2 * width, count), isBefore)
    ;[from, to] = [to, from]
  }
  return from
}
