import type { StepKey } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { mix, registerSeeded, runSeeded } from './seeded-kernel.js'

/** TF.js kernel that computes noise from a seed: `inputs: { seed }`, `attrs: { stream, distribution, shape }`. */
export const NOISE = 'AttuneNoise'

/** The distribution of {@link noise}: uniform in [0, 1), or standard normal. */
export type Distribution = 'uniform' | 'normal'

/** Attributes of the kernel {@link NOISE}. */
export interface NoiseAttributes {
  readonly stream: number
  readonly distribution: Distribution
  readonly shape: readonly number[]
}

/** Keeps noise independent of a dropout mask of the same key. */
const SALT = 0x6e6f6973
const GOLDEN = 0x9e3779b9

/** 32 random bits for each position: two rounds of a hash. */
function bitsOf(seed: ArrayLike<number | bigint>, stream: number): (at: number) => number {
  const first = mix(Number(seed[0]) ^ Math.imul(stream, GOLDEN) ^ SALT)
  const second = mix((Number(seed[1]) + first) | 0)
  return (at) => mix((mix(Math.imul(at, GOLDEN) ^ first) + second) | 0) >>> 0
}

/**
 * Fills `into` with noise. Uniform: multiples of 2⁻²⁴ in [0, 1), exact in float32. Normal: mean 0 and variance 1 by
 * Box–Muller, `√(−2 ln u) · cos(2πv)` and `√(−2 ln u) · sin(2πv)` for two positions, with a 32-bit `u` in (0, 1), so
 * that |z| < 6.8. An entry depends only on the seed, the stream and its position.
 */
export function noiseValues(
  seed: ArrayLike<number | bigint>,
  { stream, distribution }: Omit<NoiseAttributes, 'shape'>,
  into: Float32Array,
): Float32Array {
  const bits = bitsOf(seed, stream)
  if (distribution === 'uniform') for (let at = 0; at < into.length; at++) into[at] = (bits(at) >>> 8) / 2 ** 24
  else
    for (let at = 0; at < into.length; at += 2) {
      const radius = Math.sqrt(-2 * Math.log((bits(at) + 0.5) / 2 ** 32))
      const angle = (2 * Math.PI * bits(at + 1)) / 2 ** 32
      into[at] = radius * Math.cos(angle)
      if (at + 1 < into.length) into[at + 1] = radius * Math.sin(angle)
    }
  return into
}

/**
 * Registers the kernel {@link NOISE} with a backend that lacks it, computed on the host. Engines call this on start.
 */
export const registerNoise = (backendName: string): void =>
  registerSeeded(NOISE, backendName, (seed, attributes, into) =>
    noiseValues(seed, attributes as unknown as NoiseAttributes, into),
  )

/**
 * Noise of a key and a shape, float32: uniform in [0, 1), or standard normal (Box–Muller). The same key yields the
 * same values on every engine; a compiled step samples new values for each seed.
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { noise } from '@attune/nn'
 * import { tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const key = { seed: tensor1d([7, 0], 'int32'), stream: 0 }
 * console.log(Array.from(noise(key, [2], 'uniform').dataSync(), (value) => value.toFixed(3))) // [ '0.948', '0.900' ]
 * ```
 */
export const noise = (key: StepKey, shape: readonly number[], distribution: Distribution): Tensor =>
  runSeeded(NOISE, key, { distribution, shape })
