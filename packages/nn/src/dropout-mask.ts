import type { StepKey } from '@attune/core'
import {
  type KernelBackend,
  type Tensor,
  type TensorInfo,
  backend,
  engine,
  getKernel,
  registerKernel,
} from '@tensorflow/tfjs-core'
import { dropoutMaskWasm } from './wasm/dropout-mask.js'

/** The TF.js kernel that turns a seed into a mask: `inputs: { seed }`, `attrs: { stream, rate, shape }`. */
export const DROPOUT_MASK = 'AttuneDropoutMask'

/** What says which mask: see {@link maskValues}. */
export interface MaskAttributes {
  readonly stream: number
  readonly rate: number
  readonly shape: readonly number[]
}

interface Filler {
  readonly memory: { readonly buffer: ArrayBuffer }
  fill(blocks: number, start: number, first: number, second: number, threshold: number, keep: number): void
}

/** The part of WebAssembly's interface that is used here; TypeScript knows it only with the types of a browser. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** Entries that the function below writes at a time: as much as a processor's second cache takes. */
const CHUNK = 1 << 17
const IN_BLOCK = 8
const LEVELS = 1 << 16

/** Made once: it keeps nothing between calls but the place that a chunk is written to. */
const filler = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(dropoutMaskWasm, 'base64')))
  .exports as unknown as Filler

/** One round of a 32-bit mix: Mulvey and Wellons' `lowbias32`, whose avalanche bias is about 0.17 (nullprogram.com, 2018). */
function mix(x: number): number {
  let h = x
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return h ^ (h >>> 16)
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
  for (let at = 0; at < into.length; at += CHUNK) {
    const count = Math.min(CHUNK, into.length - at)
    filler.fill(Math.ceil(count / IN_BLOCK), at / 2, first, second, threshold, keep)
    into.set(new Float32Array(filler.memory.buffer, 0, count), at)
  }
  return into
}

type HostBackend = KernelBackend & { write(values: Float32Array, shape: number[], dtype: 'float32'): object }

/** Gives a backend that lacks it the kernel {@link DROPOUT_MASK}, computed on the host. An engine calls this as it starts. */
export function registerDropoutMask(backendName: string): void {
  if (getKernel(DROPOUT_MASK, backendName) != null) return
  registerKernel({
    kernelName: DROPOUT_MASK,
    backendName,
    kernelFunc: ({ inputs, attrs, backend: device }) => {
      const { shape, ...rest } = attrs as unknown as MaskAttributes
      const seed = (device as HostBackend).readSync((inputs['seed'] as TensorInfo).dataId) as Int32Array
      const values = maskValues(seed, rest, new Float32Array(shape.reduce((product, size) => product * size, 1)))
      const dataId = (device as HostBackend).write(values, [...shape], 'float32')
      return { dataId, shape: [...shape], dtype: 'float32' }
    },
  })
}

/** The mask of a key and a shape, float32. The same key gives the same mask on every engine. */
export function dropoutMask(key: StepKey, rate: number, shape: readonly number[]): Tensor {
  backend() // the engine must be up before a kernel is looked up by its name
  const attributes: MaskAttributes = { stream: key.stream, rate, shape }
  return engine().runKernel(DROPOUT_MASK, { seed: key.seed }, { ...attributes, shape: [...shape] }) as Tensor
}
