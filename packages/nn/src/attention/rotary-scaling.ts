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

/** How positions turn queries and keys; the keys of `rope_parameters` in a Hugging Face `config.json`. */
export interface RotaryOptions {
  readonly rope_type?: string | undefined
  /** The base of the wavelengths. */
  readonly rope_theta?: number | undefined
  readonly factor?: number | undefined
  readonly low_freq_factor?: number | undefined
  readonly high_freq_factor?: number | undefined
  readonly original_max_position_embeddings?: number | undefined
  /** Of the model: what `dynamic` stretches beyond, and what the others take for the original where that is not given. */
  readonly max_position_embeddings?: number | undefined
  readonly beta_fast?: number | undefined
  readonly beta_slow?: number | undefined
  readonly mscale?: number | undefined
  readonly mscale_all_dim?: number | undefined
  /** What cosines and sines are multiplied by. */
  readonly attention_factor?: number | undefined
  readonly truncate?: boolean | undefined
  /** What each wavelength is multiplied by, in texts within the original length and in longer ones. */
  readonly short_factor?: readonly number[] | undefined
  readonly long_factor?: readonly number[] | undefined
  readonly partial_rotary_factor?: number | undefined
}

/** How positions turn a pair of dimensions. */
export interface RotaryScaling {
  /** Radians from one position to the next, `[headSize / 2]`, in texts as long as those of training. */
  readonly frequencies: readonly number[]
  /** What cosines and sines are multiplied by. */
  readonly amplitude: number
  /** The frequencies, `[batch, 1, headSize / 2]`, where they depend on the lengths of texts, float32 `[batch, 1]`. */
  readonly atLength?: (lengths: Tensor) => Tensor
}

/** The default wavelengths of a head, and what may be asked for of the options. */
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
    `rotary positions of type "${type}" need \`${name}\`, which is not given`,
    `Give \`${name}\` under rope_parameters.`,
  )
}

const originalOf = (o: RotaryOptions, head: Head): number =>
  required(o.original_max_position_embeddings ?? o.max_position_embeddings, 'original_max_position_embeddings', head)

/** As Llama 3.1 stretches: short wavelengths stay, long ones are divided by `factor`, those between are blended. */
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

/** All wavelengths longer by `factor`: positions between those of training. Source: Chen et al., Position Interpolation, 2023. */
function linearly(o: RotaryOptions, head: Head): RotaryScaling {
  const factor = required(o.factor, 'factor', head)
  return { frequencies: head.plain.map((f) => f / factor), amplitude: 1 }
}

/**
 * The base grows with texts beyond `max_position_embeddings`: by `(factor·length/max − (factor − 1))^(d/(d − 2))`, which the
 * i-th frequency feels as the same to the power of `−2i/(d − 2)`.
 */
function dynamic(o: RotaryOptions, head: Head): RotaryScaling {
  const factor = required(o.factor, 'factor', head)
  const most = required(o.max_position_embeddings, 'max_position_embeddings', head)
  const powers = head.plain.map((_, i) => (i === 0 ? 0 : (-2 * i) / (head.size - 2)))
  const atLength = (lengths: Tensor): Tensor => {
    const stretch = sub(mul(maximum(lengths, most), factor / most), factor - 1) // [batch, 1]
    const row = (values: readonly number[]): Tensor => tensor([...values], [1, 1, values.length], 'float32')
    return mul(exp(mul(expandDims(log(stretch), 2), row(powers))), row(head.plain))
  }
  return { frequencies: head.plain, amplitude: 1, atLength }
}

/** What YaRN multiplies cosines and sines by, so that scores of longer texts are as sharp. */
const yarnAmplitude = (scale: number, by = 1): number => (scale <= 1 ? 1 : 0.1 * by * Math.log(scale) + 1)

/**
 * YaRN: dimensions that turn more than `beta_fast` times within the original length stay, those that turn less than `beta_slow`
 * times are divided by `factor`, those between are blended by their place. Source: Peng et al., YaRN, 2023, sections 3.2 and 3.4.
 */
function yarn(o: RotaryOptions, head: Head): RotaryScaling {
  const trained = originalOf(o, head)
  const factor = o.factor ?? required(o.max_position_embeddings, 'factor', head) / trained
  const place = (turns: number): number =>
    (head.size * Math.log(trained / (turns * 2 * Math.PI))) / (2 * Math.log(head.theta))
  const [first, last] = [place(o.beta_fast ?? 32), place(o.beta_slow ?? 1)]
  const whole = o.truncate ?? true
  const low = Math.max(whole ? Math.floor(first) : first, 0)
  const high = Math.min(whole ? Math.ceil(last) : last, head.size - 1)
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
    `\`${name}\` has ${factors.length} factors, and heads of ${head.size} numbers need ${head.plain.length}`,
    'Give one for each pair of the numbers of a head.',
  )
}

/** What LongRoPE multiplies cosines and sines by where nothing is said of it. */
function longAmplitude(o: RotaryOptions, head: Head): number {
  const trained = originalOf(o, head)
  const factor = o.factor ?? required(o.max_position_embeddings, 'factor', head) / trained
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trained))
}

/** LongRoPE: a factor for each wavelength, others in texts beyond the original length. Source: Ding et al., LongRoPE, 2024. */
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
  linear: linearly,
  dynamic,
  yarn,
  longrope,
  llama3,
}

/**
 * How positions turn the pairs of a head's numbers: by `theta^(−2i/headSize)` a position, stretched as the type says.
 * @throws AttuneError `BAD_OPTIONS`
 */
export function rotaryScaling(headSize: number, o: RotaryOptions): RotaryScaling {
  const type = o.rope_type ?? 'default'
  const scale = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined
  if (scale === undefined)
    throw badOptions(
      `rotary positions are of type "${type}", and known are ${Object.keys(TYPES).join(', ')}`,
      'Use a checkpoint with one of the known types.',
    )
  if ((o.partial_rotary_factor ?? 1) !== 1)
    throw badOptions(
      `\`partial_rotary_factor\` is ${o.partial_rotary_factor}, and positions turn all numbers of a head`,
      'Use a checkpoint without it.',
    )
  const theta = o.rope_theta ?? 10_000
  const plain = Array.from({ length: headSize / 2 }, (_, i) => theta ** ((-2 * i) / headSize))
  return scale(o, { type, size: headSize, theta, plain })
}

/** The length of each row by its positions `[batch or 1, length]`: float32 `[batch or 1, 1]`. */
export const lengthsByPosition = (positions: Tensor): Tensor => add(max(cast(positions, 'float32'), 1, true), 1)
