/** A pair of adjacent symbols, by their ids, and its count when it was queued. */
export interface QueuedPair {
  readonly left: number
  readonly right: number
  readonly count: number
}

/** True if `a` is merged before `b`: higher count first, ties by smaller ids. */
const before = (a: QueuedPair, b: QueuedPair): boolean =>
  a.count !== b.count ? a.count > b.count : a.left !== b.left ? a.left < b.left : a.right < b.right

/** A binary heap of pairs, most frequent first. */
export interface PairQueue {
  push(pair: QueuedPair): void
  pop(): QueuedPair | undefined
}

/** Creates an empty queue. */
export function pairQueue(): PairQueue {
  const heap: QueuedPair[] = []
  const swap = (i: number, j: number): void => {
    ;[heap[i], heap[j]] = [heap[j] as QueuedPair, heap[i] as QueuedPair]
  }
  return {
    push(pair) {
      let at = heap.push(pair) - 1
      for (let parent = (at - 1) >> 1; at > 0 && before(heap[at]!, heap[parent]!); parent = (at - 1) >> 1) {
        swap(at, parent)
        at = parent
      }
    },
    pop() {
      const top = heap[0]
      const last = heap.pop()
      if (heap.length === 0 || last === undefined) return top
      heap[0] = last
      for (let at = 0; ;) {
        const [left, right] = [2 * at + 1, 2 * at + 2]
        let first = at
        if (left < heap.length && before(heap[left]!, heap[first]!)) first = left
        if (right < heap.length && before(heap[right]!, heap[first]!)) first = right
        if (first === at) return top
        swap(at, first)
        at = first
      }
    },
  }
}
