import type { StepKey } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { dropoutMaskWasm } from '../wasm/dropout-mask.js'
import { mix, registerSeeded, runSeeded } from './seeded-kernel.js'

/** The TF.js kernel that turns a seed into a mask: `inputs: { seed }`, `attrs: { stream, rate, shape }`. */
export const DROPOUT_MASK = 'AttuneDropoutMask'

/** What says which mask: see {@link maskValues}. */
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

/** The part of WebAssembly's interface that is used here; TypeScript knows it only with the types of a browser. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
  readonly Memory: new (size: { initial: number }) => Memory
}

const PAGE = 1 << 16
/** Entries of the array below: as much as a processor's second cache takes. */
const CHUNK = 1 << 17
const IN_BLOCK = 8
const LEVELS = 1 << 16

/** Makes a value when it is first asked for, and the same one from then on: importing this module compiles nothing. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

const compiled = lazy(
  () => new WebAssembly.Module(Uint8Array.from(atob(dropoutMaskWasm), (byte) => byte.charCodeAt(0))),
)

/** The function that fills a memory. */
const fillOf = (memory: Memory): Fill =>
  (new WebAssembly.Instance(compiled(), { to: { memory } }).exports as { readonly fill: Fill }).fill

const bytesFor = (entries: number): number => Math.ceil(entries / IN_BLOCK) * IN_BLOCK * 4

/** Where a chunk of a mask is written to, and the function that writes it. Nothing else is kept between calls. */
const chunk = lazy(() => {
  const memory = new WebAssembly.Memory({ initial: bytesFor(CHUNK) / PAGE })
  return { memory, fill: fillOf(memory) }
})

/** Where an array of {@link maskArrays} has the function that fills its memory. */
const FILL = Symbol('fill')

/**
 * Arrays of so many entries that {@link maskValues} fills faster than others, by a third: it writes to them directly, where
 * for others it copies what it has written elsewhere. They share one buffer.
 */
export function maskArrays(sizes: readonly number[]): Float32Array[] {
  const bytes = sizes.map(bytesFor)
  const all = bytes.reduce((sum, size) => sum + size, 0)
  // A memory of WebAssembly ends at 4 GiB.
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
 * Fills `into` with a mask of dropout: 0 with probability `rate`, rounded to 1/65536, and `1 / (1 − rate)` elsewhere. An
 * entry depends on the seed, the stream and its place alone: two rounds of a hash, of which each half decides one entry. So
 * every engine makes the same masks, in any order, and a run that is resumed goes on with those it would have had.
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

/** Gives a backend that lacks it the kernel {@link DROPOUT_MASK}, computed on the host. An engine calls this as it starts. */
export const registerDropoutMask = (backendName: string): void =>
  registerSeeded(DROPOUT_MASK, backendName, (seed, attributes, into) =>
    maskValues(seed, attributes as unknown as MaskAttributes, into),
  )

/** The mask of a key and a shape, float32. The same key gives the same mask on every engine. */
export function dropoutMask(key: StepKey, rate: number, shape: readonly number[]): Tensor {
  return runSeeded(DROPOUT_MASK, key, { rate, shape })
}
