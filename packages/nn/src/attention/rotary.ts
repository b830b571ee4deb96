import { type Tensor, add, cast, concat, cos, expandDims, mul, neg, sin, slice, tensor } from '@tensorflow/tfjs-core'
import { type RotaryOptions, lengthsByPosition, rotaryScaling } from './rotary-scaling.js'

export type { RotaryOptions } from './rotary-scaling.js'

/** Cosines and sines of the rotation angles of each position, `[batch or 1, 1, length, headSize]`. */
export interface RotaryTables {
  readonly cosine: Tensor
  readonly sine: Tensor
}

/**
 * Radians per position of each pair of dimensions, in texts within the training length.
 * @throws AttuneError `BAD_OPTIONS` for an unknown type or a missing option
 */
export const rotaryFrequencies = (headSize: number, options: RotaryOptions): Float32Array =>
  Float32Array.from(rotaryScaling(headSize, options).frequencies)

/**
 * RoPE tables for int32 `positions` `[batch or 1, length]`. If the type depends on the length of a text, that is the
 * largest position id of its row, padding included; the Hugging Face transformers library (Python) uses the maximum
 * over the batch.
 */
export function rotaryTables(positions: Tensor, headSize: number, options: RotaryOptions): RotaryTables {
  const { frequencies, amplitude, atLength } = rotaryScaling(headSize, options)
  const turns =
    atLength === undefined
      ? tensor(Float32Array.from(frequencies), [1, 1, headSize / 2])
      : atLength(lengthsByPosition(positions)) // [batch or 1, 1, headSize / 2]
  const angles = mul(expandDims(cast(positions, 'float32'), 2), turns) // [batch, length, headSize / 2]
  const both = expandDims(concat([angles, angles], 2), 1) // [batch, 1, length, headSize]
  const scaled = (x: Tensor): Tensor => (amplitude === 1 ? x : mul(x, amplitude))
  return { cosine: scaled(cos(both)), sine: scaled(sin(both)) }
}

/**
 * Applies RoPE: rotates each pair `(i, i + headSize/2)` of `x` `[batch, heads, length, headSize]` by the angle of its
 * position.
 * Source: Su et al., RoFormer, 2021, section 3.2.2; the pairing is that of transformers.
 */
export function rotate(x: Tensor, { cosine, sine }: RotaryTables): Tensor {
  const half = (x.shape.at(-1) as number) / 2
  const [first, second] = [slice(x, [0, 0, 0, 0], [-1, -1, -1, half]), slice(x, [0, 0, 0, half], [-1, -1, -1, half])]
  return add(mul(x, cosine), mul(concat([neg(second), first], 3), sine))
}
