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

/**
 * One round of a 32-bit hash: Mulvey and Wellons' `lowbias32`, whose avalanche bias is about 0.17 (nullprogram.com,
 * 2018).
 */
export function mix(x: number): number {
  let h = x
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return h ^ (h >>> 16)
}

/** Fills `into` with values that depend only on the seed, the attributes and the position. */
export type FillSeeded = (
  seed: ArrayLike<number | bigint>,
  attributes: Readonly<Record<string, unknown>>,
  into: Float32Array,
) => unknown

type HostBackend = KernelBackend & { write(values: Float32Array, shape: number[], dtype: 'float32'): object }

/**
 * Registers a seeded random kernel, computed on the host, with a backend that lacks it: `inputs: { seed }`, `attrs: {
 * stream, shape, … }`.
 */
export function registerSeeded(kernelName: string, backendName: string, fill: FillSeeded): void {
  if (getKernel(kernelName, backendName) != null) return
  registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs, backend: device }) => {
      const shape = attrs!['shape'] as unknown as readonly number[]
      const seed = (device as HostBackend).readSync((inputs['seed'] as TensorInfo).dataId) as Int32Array
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
      fill(seed, attrs as never, values)
      const dataId = (device as HostBackend).write(values, [...shape], 'float32')
      return { dataId, shape: [...shape], dtype: 'float32' }
    },
  })
}

/** Runs a seeded random kernel: returns a float32 tensor of `shape`, equal on every engine for the same key. */
export function runSeeded(
  kernelName: string,
  { seed, stream }: StepKey,
  { shape, ...rest }: { readonly shape: readonly number[] } & Readonly<Record<string, unknown>>,
): Tensor {
  backend() // initialises the engine, which must precede the lookup of a kernel by name
  return engine().runKernel(kernelName, { seed }, { stream, ...rest, shape: [...shape] } as never) as Tensor
}
