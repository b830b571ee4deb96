import type { HostedInput } from './backend.js'
import { sizeOf } from './graph.js'

type Allocate = NonNullable<HostedInput['allocate']>

const zeros: Allocate = (sizes) => sizes.map((size) => new Float32Array(size))

/** The first values of an array, with the array's own symbols, in which kernels keep what belongs to its memory. */
function prefixOf(array: Float32Array, size: number): Float32Array {
  if (array.length === size) return array
  const prefix = array.subarray(0, size)
  for (const symbol of Object.getOwnPropertySymbols(array))
    Object.defineProperty(prefix, symbol, Object.getOwnPropertyDescriptor(array, symbol)!)
  return prefix
}

/**
 * Arrays of host-computed inputs. The graphs of one function run in turn, so they share arrays of the largest sizes.
 * @example two graphs with masks of 8 and 32 values use one array of 32
 */
export class HostArrays {
  readonly #largest = new Map<Allocate, readonly Float32Array[]>()

  /** Returns a function that returns the arrays of a graph's inputs, in order. They are valid until the next graph runs. */
  reserve(hosted: readonly HostedInput[]): () => readonly Float32Array[] {
    const groups = [...new Set(hosted.map(({ allocate }) => allocate ?? zeros))].map((allocate) => {
      const own = hosted.filter((each) => (each.allocate ?? zeros) === allocate)
      return { allocate, own, sizes: own.map(({ value }) => sizeOf(value.shape)) }
    })
    for (const { allocate, sizes } of groups) this.#enlarge(allocate, sizes)
    return () => {
      const arrays = new Map<HostedInput, Float32Array>()
      for (const { allocate, own, sizes } of groups)
        for (const [i, each] of own.entries()) arrays.set(each, prefixOf(this.#largest.get(allocate)![i]!, sizes[i]!))
      return hosted.map((each) => arrays.get(each)!)
    }
  }

  /** Frees the arrays. */
  clear(): void {
    this.#largest.clear()
  }

  #enlarge(allocate: Allocate, sizes: readonly number[]): void {
    const known = this.#largest.get(allocate) ?? []
    if (sizes.every((size, i) => size <= (known[i]?.length ?? -1))) return
    const count = Math.max(sizes.length, known.length)
    const largest = Array.from({ length: count }, (_, i) => Math.max(sizes[i] ?? 0, known[i]?.length ?? 0))
    this.#largest.set(allocate, allocate(largest))
  }
}
