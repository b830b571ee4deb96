import type { HostArray } from '@attune/core'
import { dynamicMap } from '../transformations/block-quantization.js'

/**
 * The 16 values of 4-bit NormalFloat (NF4), ascending: quantiles of a normal distribution scaled to [−1, 1], with an exact 0.
 * Source: Dettmers et al., QLoRA: Efficient Finetuning of Quantized LLMs, 2023, appendix E.
 */
export const NF4_VALUES: Float32Array = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
)

/** Numbers of values that share a scale, and of scales that share a scale of their own, as in the paper. */
export const [NF4_BLOCK, SCALE_BLOCK] = [64, 256] as const

/** Midpoints of neighboring values: the code of x is the number of midpoints below x. */
const MIDPOINTS = Float32Array.from({ length: 15 }, (_, i) => (NF4_VALUES[i]! + NF4_VALUES[i + 1]!) / 2)
const SMALLEST = Math.fround(1e-38)
const DYNAMIC = dynamicMap(true)

function codeOf(x: number): number {
  let code = 0
  while (code < MIDPOINTS.length && x > MIDPOINTS[code]!) code++
  return code
}

function maximumOf(values: Float32Array, from: number, to: number): number {
  let most = 0
  for (let i = from; i < to; i++) most = Math.max(most, Math.abs(values[i]!))
  return most
}

/** Bytes as int32, four in each, in little-endian order; the last one is padded with zeros. */
function toWords(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(Math.ceil(bytes.length / 4))
  new Uint8Array(words.buffer).set(bytes)
  return words
}

/** Two 4-bit codes per byte, the first one in the high bits, and the largest absolute value of each block. */
export interface Nf4Blocks {
  readonly bytes: Uint8Array
  readonly scales: Float32Array
}

/**
 * NF4 quantization of values in row-major order, in blocks of 64: each block is divided by its largest absolute value, and each quotient
 * replaced by the nearest of {@link NF4_VALUES}. The last block is padded with zeros. Codes and scales equal those of bitsandbytes'
 * `quantize_4bit`, also in float32 rounding: whole blocks are multiplied by the reciprocal of the maximum, the last partial one is divided.
 * Source: Dettmers et al., QLoRA: Efficient Finetuning of Quantized LLMs, 2023, section 2.
 */
export function quantizeNf4(values: Float32Array): Nf4Blocks {
  const blocks = Math.ceil(values.length / NF4_BLOCK)
  const bytes = new Uint8Array((blocks * NF4_BLOCK) / 2).fill(codeOf(0) * 17)
  const scales = new Float32Array(blocks)
  for (let block = 0; block < blocks; block++) {
    const [from, to] = [block * NF4_BLOCK, Math.min((block + 1) * NF4_BLOCK, values.length)]
    const isWhole = to - from === NF4_BLOCK
    const largest = maximumOf(values, from, to)
    const divisor = Math.max(largest, SMALLEST)
    scales[block] = isWhole ? largest : divisor
    const reciprocal = Math.fround(1 / divisor)
    for (let i = from; i < to; i++) {
      const code = codeOf(Math.fround(isWhole ? values[i]! * reciprocal : values[i]! / divisor))
      const shift = i % 2 === 0 ? 4 : 0
      bytes[i >> 1] = (bytes[i >> 1]! & (0xf0 >> shift)) | (code << shift)
    }
  }
  return { bytes, scales }
}

/** 8-bit codes of scales, the largest absolute value of each block of them, and the mean that was subtracted. */
export interface NestedScales {
  readonly codes: Uint8Array
  readonly scales: Float32Array
  readonly offset: number
}

/** Index of the value of {@link DYNAMIC} nearest to x; of two equally near ones the lower. */
function nearestDynamic(x: number): number {
  let [low, high] = [0, DYNAMIC.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (DYNAMIC[middle]! > x) high = middle
    else low = middle
  }
  return DYNAMIC[high]! - x < x - DYNAMIC[low]! ? high : low
}

/**
 * Double quantization: the scales of NF4 blocks, less their mean, in the 8-bit dynamic data type in blocks of 256, which takes 0.127 bits
 * per weight instead of 0.5.
 * Source: Dettmers et al., QLoRA: Efficient Finetuning of Quantized LLMs, 2023, section 3.
 */
export function quantizeScales(values: Float32Array): NestedScales {
  const offset = Math.fround(values.reduce((sum, x) => sum + x, 0) / values.length)
  const centered = values.map((x) => x - offset)
  const scales = new Float32Array(Math.ceil(values.length / SCALE_BLOCK))
  const codes = new Uint8Array(values.length)
  for (let block = 0; block < scales.length; block++) {
    const [from, to] = [block * SCALE_BLOCK, Math.min((block + 1) * SCALE_BLOCK, values.length)]
    const largest = maximumOf(centered, from, to)
    scales[block] = largest
    if (largest === 0) continue // codes of 0, as in bitsandbytes: any code of a zero scale is 0
    for (let i = from; i < to; i++) codes[i] = nearestDynamic(Math.fround(centered[i]! / largest))
  }
  return { codes, scales, offset }
}

/** Names of the tensors of an NF4 weight, by the name of its layer. The last two exist only with double quantization. */
export const nf4Names = (layer: string) => ({
  codes: `${layer}.weight.nf4`,
  scales: `${layer}.weight.absmax`,
  nestedScales: `${layer}.weight.nested_absmax`,
  nestedOffset: `${layer}.weight.nested_offset`,
})

const array = (dtype: 'float32' | 'int32', values: Float32Array | Int32Array): HostArray =>
  ({ shape: [values.length], dtype, values }) as HostArray

/**
 * The tensors of an NF4 weight, by name: codes, eight per int32, `[blocks · 8]`, and scales, float32 `[blocks]`, or, with double
 * quantization, four 8-bit codes of scales per int32, their scales `[⌈blocks / 256⌉]` and their offset `[1]`.
 * @param values the weight in the layout `[out, in]`
 */
export function nf4Tensors(
  layer: string,
  values: Float32Array,
  doubleQuantization: boolean,
): Record<string, HostArray> {
  const names = nf4Names(layer)
  const { bytes, scales } = quantizeNf4(values)
  const codes = { [names.codes]: array('int32', toWords(bytes)) }
  if (!doubleQuantization) return { ...codes, [names.scales]: array('float32', scales) }
  const nested = quantizeScales(scales)
  return {
    ...codes,
    [names.scales]: array('int32', toWords(nested.codes)),
    [names.nestedScales]: array('float32', nested.scales),
    [names.nestedOffset]: array('float32', Float32Array.of(nested.offset)),
  }
}

/** True if the rows of a table consist of whole blocks, as {@link nf4Table} needs. */
export const fitsNf4Table = ([, width]: readonly number[]): boolean => width! % NF4_BLOCK === 0

/**
 * The tensors of a table with a row per token in NF4, by name: those of {@link nf4Tensors}, with codes of shape `[entries, width / 8]`.
 * @param shape `[entries, width]`, of a width that is a multiple of 64
 */
export function nf4Table(
  layer: string,
  { shape: [entries, width], values }: HostArray,
  doubleQuantization: boolean,
): Record<string, HostArray> {
  const tensors = nf4Tensors(layer, values as Float32Array, doubleQuantization)
  const { codes } = nf4Names(layer)
  return { ...tensors, [codes]: { ...tensors[codes]!, shape: [entries!, width! / 8] } }
}
