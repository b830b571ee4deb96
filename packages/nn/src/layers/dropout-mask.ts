import type { StepKey } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { dropoutMaskWasm } from '../wasm/dropout-mask.js'
import { mix, registerSeeded, runSeeded } from './seeded-kernel.js'

/** TF.js kernel that computes a dropout mask from a seed: `inputs: { seed }`, `attrs: { stream, rate, shape }`. */
export const DROPOUT_MASK = 'AttuneDropoutMask'

/** Attributes of a dropout mask: see {@link maskValues}. */
export interface MaskAttributes {
  readonly stream: number
  readonly rate: number
  readonly shape: readonly number[]
}

type Fill = (
  at: number,
  blocks: number,
  start: number,
  first: number,
  second: number,
  threshold: number,
  keep: number,
) => void

interface Memory {
  readonly buffer: ArrayBuffer
}

/** The parts of the WebAssembly API used here; TypeScript declares it only in the browser types. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
  readonly Memory: new (size: { initial: number }) => Memory
}

const PAGE = 1 << 16
/** Entries of a chunk: as many as fit the L2 cache of a CPU. */
const CHUNK = 1 << 17
const IN_BLOCK = 8
const LEVELS = 1 << 16

/** Creates a value on first use and caches it: importing this module compiles nothing. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

const compiled = lazy(
  () => new WebAssembly.Module(Uint8Array.from(atob(dropoutMaskWasm), (byte) => byte.charCodeAt(0))),
)

/** Instantiates the fill function for a memory. */
const fillOf = (memory: Memory): Fill =>
  (new WebAssembly.Instance(compiled(), { to: { memory } }).exports as { readonly fill: Fill }).fill

const bytesFor = (entries: number): number => Math.ceil(entries / IN_BLOCK) * IN_BLOCK * 4

/** Scratch memory for a chunk of a mask, with its fill function. No other state is kept between calls. */
const chunk = lazy(() => {
  const memory = new WebAssembly.Memory({ initial: bytesFor(CHUNK) / PAGE })
  return { memory, fill: fillOf(memory) }
})

/** Key of the fill function on an array of {@link maskArrays}. */
const FILL = Symbol('fill')

/**
 * Arrays of the given sizes, which {@link maskValues} fills a third faster than others because it writes to them
 * directly instead of copying from scratch memory. They share one buffer.
 */
export function maskArrays(sizes: readonly number[]): Float32Array[] {
  const bytes = sizes.map(bytesFor)
  const all = bytes.reduce((sum, size) => sum + size, 0)
  // A WebAssembly memory is limited to 4 GiB.
  if (all > 2 ** 32 - PAGE) return sizes.map((size) => new Float32Array(size))
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(all / PAGE)) })
  const fill = fillOf(memory)
  let at = 0
  return sizes.map((size, i) => {
    const array = new Float32Array(memory.buffer, at, size)
    at += bytes[i]!
    return Object.assign(array, { [FILL]: fill })
  })
}

/**
 * Fills `into` with a dropout mask: 0 with probability `rate`, rounded to 1/65536, and `1 / (1 − rate)` elsewhere. An
 * entry depends only on the seed, the stream and its index: two rounds of a hash, each half of which decides one
 * entry. Every engine therefore computes the same masks, in any order, and a resumed run continues with the masks of
 * the uninterrupted run.
 */
export function maskValues(
  seed: ArrayLike<number | bigint>,
  { stream, rate }: Omit<MaskAttributes, 'shape'>,
  into: Float32Array,
): Float32Array {
  const first = mix(Number(seed[0]) ^ Math.imul(stream, 0x9e3779b9))
  const second = mix(Number(seed[1]) + first)
  const threshold = Math.round(rate * LEVELS)
  const keep = 1 / (1 - threshold / LEVELS)
  const fill = (into as { readonly [FILL]?: Fill })[FILL]
  if (fill !== undefined) fill(into.byteOffset, Math.ceil(into.length / IN_BLOCK), 0, first, second, threshold, keep)
  else {
    const { memory, fill: fillChunk } = chunk()
    for (let at = 0; at < into.length; at += CHUNK) {
      const count = Math.min(CHUNK, into.length - at)
      fillChunk(0, Math.ceil(count / IN_BLOCK), at / 2, first, second, threshold, keep)
      into.set(new Float32Array(memory.buffer, 0, count), at)
    }
  }
  return into
}

/**
 * Registers the kernel {@link DROPOUT_MASK} with a backend that lacks it, computed on the host. Engines call this on
 * start.
 */
export const registerDropoutMask = (backendName: string): void =>
  registerSeeded(DROPOUT_MASK, backendName, (seed, attributes, into) =>
    maskValues(seed, attributes as unknown as MaskAttributes, into),
  )

/** Dropout mask of a key and a shape, float32. The same key yields the same mask on every engine. */
export function dropoutMask(key: StepKey, rate: number, shape: readonly number[]): Tensor {
  return runSeeded(DROPOUT_MASK, key, { rate, shape })
}
