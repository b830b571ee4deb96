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

/** The TF.js kernel that turns a seed into uniform numbers: `inputs: { seed }`, `attrs: { stream, shape }`. */
export const UNIFORM = 'AttuneUniform'

/** One round of a 32-bit mix: Mulvey and Wellons' `lowbias32`, whose avalanche bias is about 0.17 (nullprogram.com, 2018). */
function mix(x: number): number {
  let h = x
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return h ^ (h >>> 16)
}

/**
 * `count` numbers in [0, 1), 24 bits each: number `i` is a hash of the seed, the stream and `i`, so that every backend,
 * and a compiled graph, can make the same ones in any order.
 */
export function uniformValues([a, b]: readonly [number, number], stream: number, count: number): Float32Array {
  const first = mix(a ^ Math.imul(stream, 0x9e3779b9))
  const second = mix(b + first)
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    let h = Math.imul(i, 0x9e3779b9) ^ first
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
    h = (h ^ (h >>> 16)) + second
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
    values[i] = ((h ^ (h >>> 16)) >>> 8) / 16777216
  }
  return values
}

type HostBackend = KernelBackend & { write(values: Float32Array, shape: number[], dtype: 'float32'): object }

/** Gives a backend that lacks it the kernel {@link UNIFORM}, computed on the host. An engine calls this as it starts. */
export function registerUniform(backendName: string): void {
  if (getKernel(UNIFORM, backendName) != null) return
  registerKernel({
    kernelName: UNIFORM,
    backendName,
    kernelFunc: ({ inputs, attrs, backend: device }) => {
      const { stream, shape } = attrs as unknown as { stream: number; shape: number[] }
      const seed = (device as HostBackend).readSync((inputs['seed'] as TensorInfo).dataId) as Int32Array
      const count = shape.reduce((product, size) => product * size, 1)
      const values = uniformValues([seed[0]!, seed[1]!], stream, count)
      return { dataId: (device as HostBackend).write(values, shape, 'float32'), shape, dtype: 'float32' }
    },
  })
}

/** Uniform numbers in [0, 1) of a shape, from the key of the step. The same key gives the same numbers on every engine. */
export function uniform(key: StepKey, shape: readonly number[]): Tensor {
  backend() // the engine must be up before a kernel is looked up by its name
  return engine().runKernel(UNIFORM, { seed: key.seed }, { stream: key.stream, shape: [...shape] }) as Tensor
}
