import { AttuneError } from '@attune/core'
import {
  type Tensor,
  add,
  cast,
  exp,
  expandDims,
  greater,
  log,
  max,
  maximum,
  mul,
  sub,
  tensor,
} from '@tensorflow/tfjs-core'

/** Rotary position embedding (RoPE): the keys of `rope_parameters` in a Hugging Face `config.json`. */
export interface RotaryOptions {
  readonly rope_type?: string | undefined
  /** Base θ of the frequencies. */
  readonly rope_theta?: number | undefined
  readonly factor?: number | undefined
  readonly low_freq_factor?: number | undefined
  readonly high_freq_factor?: number | undefined
  readonly original_max_position_embeddings?: number | undefined
  /**
   * Maximum length of the model: `dynamic` scaling starts beyond it, and it is the default of
   * `original_max_position_embeddings`.
   */
  readonly max_position_embeddings?: number | undefined
  readonly beta_fast?: number | undefined
  readonly beta_slow?: number | undefined
  readonly mscale?: number | undefined
  readonly mscale_all_dim?: number | undefined
  /** Factor of cosines and sines. */
  readonly attention_factor?: number | undefined
  readonly truncate?: boolean | undefined
  /** Factor of each wavelength, in texts within the original length and in longer ones. */
  readonly short_factor?: readonly number[] | undefined
  readonly long_factor?: readonly number[] | undefined
  readonly partial_rotary_factor?: number | undefined
}

/** Rotation angles of the pairs of dimensions. */
export interface RotaryScaling {
  /** Radians per position, `[headSize / 2]`, in texts within the training length. */
  readonly frequencies: readonly number[]
  /** Factor of cosines and sines. */
  readonly amplitude: number
  /** Frequencies, `[batch, 1, headSize / 2]`, if they depend on the lengths of the texts, float32 `[batch, 1]`. */
  readonly atLength?: (lengths: Tensor) => Tensor
}

/** Unscaled frequencies of a head and the values that scaling depends on. */
interface Head {
  readonly type: string
  readonly size: number
  readonly theta: number
  readonly plain: readonly number[]
}

const badOptions = (problem: string, remedy: string): AttuneError => new AttuneError('BAD_OPTIONS', problem, remedy)

function required<T>(value: T | undefined, name: keyof RotaryOptions, { type }: Head): T {
  if (value !== undefined) return value
  throw badOptions(
    `rotary positions of type "${type}" require \`${name}\`, which is missing`,
    `Set \`${name}\` under rope_parameters.`,
  )
}

const originalOf = (o: RotaryOptions, head: Head): number =>
  required(o.original_max_position_embeddings ?? o.max_position_embeddings, 'original_max_position_embeddings', head)

/**
 * RoPE scaling of Llama 3.1: high frequencies are unchanged, low ones are divided by `factor`, those between are
 * interpolated.
 */
function llama3(o: RotaryOptions, head: Head): RotaryScaling {
  const factor = required(o.factor, 'factor', head)
  const [low, high] = [o.low_freq_factor ?? 1, o.high_freq_factor ?? 4]
  const trained = originalOf(o, head)
  const frequencies = head.plain.map((frequency) => {
    const turns = (trained * frequency) / (2 * Math.PI)
    if (turns < low) return frequency / factor
    if (turns > high) return frequency
    const share = (turns - low) / (high - low)
    return ((1 - share) * frequency) / factor + share * frequency
  })
  return { frequencies, amplitude: 1 }
}

/**
 * Linear position interpolation: all frequencies are divided by `factor`.
 * Source: Chen et al., Position Interpolation, 2023.
 */
function linear(o: RotaryOptions, head: Head): RotaryScaling {
  const factor = required(o.factor, 'factor', head)
  return { frequencies: head.plain.map((f) => f / factor), amplitude: 1 }
}

/**
 * Dynamic NTK scaling: in texts beyond `max_position_embeddings` the base grows by `(factor·length/max − (factor −
 * 1))^(d/(d − 2))`, which multiplies the i-th frequency by the same to the power `−2i/(d − 2)`.
 */
function dynamic(o: RotaryOptions, head: Head): RotaryScaling {
  const factor = required(o.factor, 'factor', head)
  const maximumLength = required(o.max_position_embeddings, 'max_position_embeddings', head)
  const powers = head.plain.map((_, i) => (i === 0 ? 0 : (-2 * i) / (head.size - 2)))
  const atLength = (lengths: Tensor): Tensor => {
    const stretch = sub(mul(maximum(lengths, maximumLength), factor / maximumLength), factor - 1) // [batch, 1]
    const row = (values: readonly number[]): Tensor => tensor([...values], [1, 1, values.length], 'float32')
    return mul(exp(mul(expandDims(log(stretch), 2), row(powers))), row(head.plain))
  }
  return { frequencies: head.plain, amplitude: 1, atLength }
}

/** YaRN's attention factor of cosines and sines, which keeps the entropy of attention in longer texts. */
const yarnAmplitude = (scale: number, by = 1): number => (scale <= 1 ? 1 : 0.1 * by * Math.log(scale) + 1)

/**
 * YaRN: dimensions with more than `beta_fast` rotations within the original length are unchanged, those with fewer
 * than `beta_slow` rotations are divided by `factor`, and those between are interpolated by their index.
 * Source: Peng et al., YaRN, 2023, sections 3.2 and 3.4.
 */
function yarn(o: RotaryOptions, head: Head): RotaryScaling {
  const trained = originalOf(o, head)
  const factor = o.factor ?? required(o.max_position_embeddings, 'factor', head) / trained
  const index = (turns: number): number =>
    (head.size * Math.log(trained / (turns * 2 * Math.PI))) / (2 * Math.log(head.theta))
  const [first, last] = [index(o.beta_fast ?? 32), index(o.beta_slow ?? 1)]
  const truncate = o.truncate ?? true
  const low = Math.max(truncate ? Math.floor(first) : first, 0)
  const high = Math.min(truncate ? Math.ceil(last) : last, head.size - 1)
  const frequencies = head.plain.map((f, i) => {
    const share = Math.min(1, Math.max(0, (i - low) / (high === low ? 0.001 : high - low)))
    return (f / factor) * share + f * (1 - share)
  })
  const { mscale, mscale_all_dim: all } = o
  const said = mscale && all ? yarnAmplitude(factor, mscale) / yarnAmplitude(factor, all) : yarnAmplitude(factor)
  return { frequencies, amplitude: o.attention_factor ?? said }
}

function factorsOf(o: RotaryOptions, name: 'short_factor' | 'long_factor', head: Head): number[] {
  const factors = required(o[name], name, head)
  if (factors.length === head.plain.length) return head.plain.map((f, i) => f / factors[i]!)
  throw badOptions(
    `expected ${head.plain.length} factors in \`${name}\` for heads of size ${head.size}, got ${factors.length}`,
    'Set one factor for each pair of dimensions of a head.',
  )
}

/** LongRoPE's default factor of cosines and sines. */
function longAmplitude(o: RotaryOptions, head: Head): number {
  const trained = originalOf(o, head)
  const factor = o.factor ?? required(o.max_position_embeddings, 'factor', head) / trained
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trained))
}

/**
 * LongRoPE: one factor per wavelength, with other factors for texts beyond the original length.
 * Source: Ding et al., LongRoPE, 2024.
 */
function longrope(o: RotaryOptions, head: Head): RotaryScaling {
  const trained = originalOf(o, head)
  const [short, long] = [factorsOf(o, 'short_factor', head), factorsOf(o, 'long_factor', head)]
  const amplitude = o.attention_factor ?? longAmplitude(o, head)
  if (String(short) === String(long)) return { frequencies: short, amplitude }
  const atLength = (lengths: Tensor): Tensor => {
    const row = (values: readonly number[]): Tensor => tensor([...values], [1, 1, values.length], 'float32')
    const beyond = expandDims(cast(greater(lengths, trained), 'float32'), 2) // [batch, 1, 1]
    return add(mul(beyond, row(long)), mul(sub(1, beyond), row(short)))
  }
  return { frequencies: short, amplitude, atLength }
}

const TYPES: Readonly<Record<string, (o: RotaryOptions, head: Head) => RotaryScaling>> = {
  default: (_, { plain }) => ({ frequencies: plain, amplitude: 1 }),
  linear,
  dynamic,
  yarn,
  longrope,
  llama3,
}

/**
 * RoPE frequencies: `theta^(−2i/headSize)` radians per position for the i-th pair of dimensions, scaled as
 * `rope_type` says.
 * @throws AttuneError `BAD_OPTIONS` for an unknown type or a missing option
 */
export function rotaryScaling(headSize: number, o: RotaryOptions): RotaryScaling {
  const type = o.rope_type ?? 'default'
  const scale = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined
  if (scale === undefined)
    throw badOptions(
      `expected rotary positions of type ${Object.keys(TYPES).join(', ')}, got "${type}"`,
      'Use a checkpoint with one of these types.',
    )
  if ((o.partial_rotary_factor ?? 1) !== 1)
    throw badOptions(
      `expected \`partial_rotary_factor\` 1 (all dimensions of a head are rotated), got ${o.partial_rotary_factor}`,
      'Use a checkpoint without `partial_rotary_factor`.',
    )
  const theta = o.rope_theta ?? 10_000
  const plain = Array.from({ length: headSize / 2 }, (_, i) => theta ** ((-2 * i) / headSize))
  return scale(o, { type, size: headSize, theta, plain })
}

/** Length of each row, from its position ids `[batch or 1, length]`: float32 `[batch or 1, 1]`. */
export const lengthsByPosition = (positions: Tensor): Tensor => add(max(cast(positions, 'float32'), 1, true), 1)
