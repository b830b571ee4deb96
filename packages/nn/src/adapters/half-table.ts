import type { HostArray, Params } from '@attune/core'
import {
  type Tensor,
  add,
  backend,
  cast,
  engine,
  floorDiv,
  gather,
  getBackend,
  getKernel,
  greater,
  less,
  matMul,
  mul,
  range,
  reshape,
  scalar,
  slice,
  stack,
  sub,
  tensor1d,
  where,
} from '@tensorflow/tfjs-core'
import { productInParts } from './product-in-parts.js'

/**
 * TF.js kernel of engines that read float16: the rows of a table at int32 `ids` `[n]`, as float32 `[n, width]`. `inputs: { codes, ids }`,
 * with codes of shape `[entries, width / 2]` as those of {@link halfTable}.
 */
export const HALF_ROWS = 'AttuneHalfRows'

/** Names of the tensors of a table in float16, by the name of its layer. */
const namesOf = (layer: string) => ({ codes: `${layer}.weight.float16`, scales: `${layer}.weight.row_scales` })

/** True if a layer's table is stored in float16. */
export const hasHalfTable = (params: Params, layer: string): boolean => params[namesOf(layer).codes] !== undefined

/** True if the current engine has the kernel that reads tables in float16. Others compute their values with int32 operations, which is slow. */
export function readsHalfTables(): boolean {
  backend() // initialises the engine, which must precede the lookup of a kernel by name
  return getKernel(HALF_ROWS, getBackend()) != null
}

/** Bits of float32's mantissa that float16 lacks, and the largest exponent of float16, with its bias. */
const [LOST_BITS, LARGEST] = [13, 30] as const

/** Biases of the exponents of float32 and float16. */
const [BIAS, HALF_BIAS] = [127, 15] as const

/** Numbers of a mantissa, and of a code. */
const [MANTISSA, WORD] = [1024, 65536] as const

const exponentOf = (bits: number): number => (bits >>> 23) & 0xff

/** Largest exponent of a row, as stored in float32; at least that of the smallest normal scale. */
function largestExponent(bits: Uint32Array, from: number, to: number): number {
  let largest = HALF_BIAS + 1
  for (let i = from; i < to; i++) largest = Math.max(largest, exponentOf(bits[i]!))
  return largest
}

/**
 * float16 of a float32 divided by 2 to the power of `largest`, such that `largest` becomes {@link LARGEST}. Numbers that would be subnormal become 0.
 * Undefined if the mantissa does not fit.
 */
function halfOf(bits: number, largest: number): number | undefined {
  const sign = (bits >>> 16) & 0x8000
  const exponent = exponentOf(bits) - largest + LARGEST
  if (exponentOf(bits) === 0 || exponent <= 0) return sign
  if ((bits & ((1 << LOST_BITS) - 1)) !== 0) return undefined
  return sign | (exponent << 10) | ((bits & 0x7fffff) >>> LOST_BITS)
}

/**
 * The tensors of a table in float16, by name: int32 codes `[entries, width / 2]`, two numbers in each, the first in the low bits, and float32
 * scales `[entries]`, powers of two that bring the largest value of each row to the top of float16's range. Values keep their bits, as those of
 * bfloat16 and float16 checkpoints do; only values below 2⁻²⁹ of the largest in their row, a 32nd of its float32 rounding, become 0, and so do subnormal
 * numbers. Undefined if a value would be rounded, as random float32 values would, or is not finite.
 * @param table float32 `[entries, width]`
 */
export function halfTable(layer: string, { shape, values }: HostArray): Record<string, HostArray> | undefined {
  const [entries, width] = shape as readonly [number, number]
  if (width % 2 !== 0 || !(values instanceof Float32Array)) return undefined
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const codes = new Uint16Array(values.length)
  const scales = new Float32Array(entries)
  for (let row = 0; row < entries; row++) {
    const [from, to] = [row * width, (row + 1) * width]
    const largest = largestExponent(bits, from, to)
    if (largest === 0xff) return undefined // infinity or NaN
    for (let i = from; i < to; i++) {
      const code = halfOf(bits[i]!, largest)
      if (code === undefined) return undefined
      codes[i] = code
    }
    scales[row] = 2 ** (largest - BIAS - (LARGEST - HALF_BIAS))
  }
  const names = namesOf(layer)
  return {
    [names.codes]: { shape: [entries, width / 2], dtype: 'int32', values: new Int32Array(codes.buffer) },
    [names.scales]: { shape: [entries], dtype: 'float32', values: scales },
  }
}

/** Values of a sign and an exponent, `[64]`, for a mantissa of 1. Those of exponent 0 are ±0: codes have no subnormal numbers. */
const POWERS = Float32Array.from(
  { length: 64 },
  (_, i) => (i < 32 ? 1 : -1) * (i % 32 === 0 ? 0 : 2 ** ((i % 32) - HALF_BIAS)),
)

/** Values of float16 numbers that are given as integers from 0 to 65535. */
function valuesOf(halves: Tensor): Tensor {
  const powers = floorDiv(halves, scalar(MANTISSA, 'int32'))
  const mantissas = add(cast(sub(halves, mul(powers, scalar(MANTISSA, 'int32'))), 'float32'), MANTISSA)
  return mul(gather(tensor1d(POWERS), powers as never), mul(mantissas, 1 / MANTISSA))
}

/** Rows of the codes at int32 `ids` `[n]`, without their scales, `[n, width]`. */
function codesAt(codes: Tensor, ids: Tensor): Tensor {
  if (readsHalfTables()) return engine().runKernel(HALF_ROWS, { codes, ids }) as Tensor
  const rows = gather(codes, ids as never)
  const high = floorDiv(rows, scalar(WORD, 'int32'))
  const low = sub(rows, mul(high, scalar(WORD, 'int32')))
  const unsigned = where(less(high, 0), add(high, scalar(WORD, 'int32')), high)
  return reshape(valuesOf(stack([low, unsigned], -1)), [ids.size, -1])
}

/** The tensors of a table, and its shape. */
function tableOf(params: Params, layer: string) {
  const names = namesOf(layer)
  const [codes, scales] = [params[names.codes]!, params[names.scales]!]
  return { codes, scales, shape: [codes.shape[0]!, 2 * codes.shape[1]!] as const }
}

/** Rows of a frozen table in float16 at int32 `ids` `[…]`, as float32 `[…, width]`. */
export function halfRows(params: Params, layer: string, ids: Tensor): Tensor {
  const { codes, scales, shape } = tableOf(params, layer)
  const at = reshape(ids, [-1])
  const rows = mul(codesAt(codes, at), reshape(gather(scales, at as never), [-1, 1]))
  return reshape(rows, [...ids.shape, shape[1]])
}

/** A frozen table in float16 as float32, `[entries, width]`. */
export const wholeHalfTable = (params: Params, layer: string): Tensor =>
  halfRows(params, layer, range(0, tableOf(params, layer).shape[0], 1, 'int32'))

/** An int32 0, `[1]`, that is known only after a tensor is computed. */
function zeroAfter(tensor: Tensor): Tensor {
  const first = slice(reshape(tensor, [-1]), [0], [1])
  return cast(greater(first, first), 'int32')
}

/**
 * Product with a frozen table in float16, such as tied word embeddings: `x·Wᵀ`, `[n, width]` → `[n, entries]`. Parts of the table are
 * converted to float32 in turn, in the forward pass and again in the backward pass. The gradient passes to `x` only.
 * @param most maximum number of values of a part. Default: 4 MB.
 */
export function halfTableProduct(x: Tensor, params: Params, layer: string, most?: number): Tensor {
  const { codes, scales, shape } = tableOf(params, layer)
  return productInParts(x, {
    shape,
    most,
    times(by, { first, rows }, isGradient, after) {
      const start = add(zeroAfter(after), scalar(first, 'int32'))
      const part = codesAt(codes, add(range(0, rows, 1, 'int32'), start))
      const own = slice(scales, [first], [rows])
      return isGradient ? matMul(mul(by, own), part) : mul(matMul(by, part, false, true), own)
    },
  })
}
