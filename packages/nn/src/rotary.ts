import { AttuneError } from '@attune/core'
import { type Tensor, add, cast, concat, cos, expandDims, mul, neg, sin, slice, tensor } from '@tensorflow/tfjs-core'

/** How positions turn queries and keys; the keys of `rope_parameters` in a Hugging Face `config.json`. */
export interface RotaryOptions {
  readonly rope_type?: string | undefined
  /** The base of the wavelengths. */
  readonly rope_theta?: number | undefined
  readonly factor?: number | undefined
  readonly low_freq_factor?: number | undefined
  readonly high_freq_factor?: number | undefined
  readonly original_max_position_embeddings?: number | undefined
}

/** Cosines and sines of the angles of each position, `[batch or 1, 1, length, headSize]`. */
export interface RotaryTables {
  readonly cosine: Tensor
  readonly sine: Tensor
}

const required = (value: number | undefined, name: string, type: string): number => {
  if (value !== undefined) return value
  throw new AttuneError(
    'BAD_OPTIONS',
    `rotary positions of type "${type}" need \`${name}\`, which is not given`,
    `Give \`${name}\` under rope_parameters.`,
  )
}

/** As Llama 3.1 stretches: short wavelengths stay, long ones are divided by `factor`, those between are blended. */
function stretch(frequency: number, o: RotaryOptions): number {
  const factor = required(o.factor, 'factor', 'llama3')
  const [low, high] = [o.low_freq_factor ?? 1, o.high_freq_factor ?? 4]
  const trained = required(o.original_max_position_embeddings, 'original_max_position_embeddings', 'llama3')
  const turns = (trained * frequency) / (2 * Math.PI)
  if (turns < low) return frequency / factor
  if (turns > high) return frequency
  const share = (turns - low) / (high - low)
  return ((1 - share) * frequency) / factor + share * frequency
}

/** Radians by which each pair of dimensions turns from one position to the next: `theta^(−2i/headSize)`, stretched. */
export function rotaryFrequencies(headSize: number, o: RotaryOptions): Float32Array {
  const type = o.rope_type ?? 'default'
  const plain = Array.from({ length: headSize / 2 }, (_, i) => (o.rope_theta ?? 10_000) ** ((-2 * i) / headSize))
  if (type === 'default') return Float32Array.from(plain)
  if (type === 'linear') return Float32Array.from(plain, (f) => f / required(o.factor, 'factor', type))
  if (type === 'llama3') return Float32Array.from(plain, (f) => stretch(f, o))
  throw new AttuneError(
    'BAD_OPTIONS',
    `rotary positions are of type "${type}", and known are default, linear, llama3`,
    'Use a checkpoint with one of the known types.',
  )
}

/** The tables for int32 `positions` `[batch or 1, length]`. */
export function rotaryTables(positions: Tensor, headSize: number, options: RotaryOptions): RotaryTables {
  const frequencies = tensor(rotaryFrequencies(headSize, options), [1, 1, headSize / 2])
  const angles = mul(expandDims(cast(positions, 'float32'), 2), frequencies) // [batch, length, headSize / 2]
  const both = expandDims(concat([angles, angles], 2), 1) // [batch, 1, length, headSize]
  return { cosine: cos(both), sine: sin(both) }
}

/**
 * Turns each pair `(i, i + headSize/2)` of `x` `[batch, heads, length, headSize]` by the angle of its position.
 * Source: Su et al., RoFormer, 2021, section 3.2.2; the pairing is that of the Hugging Face library.
 */
export function rotate(x: Tensor, { cosine, sine }: RotaryTables): Tensor {
  const half = (x.shape.at(-1) as number) / 2
  const [first, second] = [slice(x, [0, 0, 0, 0], [-1, -1, -1, half]), slice(x, [0, 0, 0, half], [-1, -1, -1, half])]
  return add(mul(x, cosine), mul(concat([neg(second), first], 3), sine))
}
