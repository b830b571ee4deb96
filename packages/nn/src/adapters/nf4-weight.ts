import type { Params } from '@attune/core'
import {
  type Tensor,
  add,
  backend,
  cast,
  customGrad,
  engine,
  gather,
  getBackend,
  getKernel,
  matMul,
  mul,
  pad,
  reshape,
  slice,
  tensor,
  tensor1d,
} from '@tensorflow/tfjs-core'
import { bytesOf, dynamicMap } from '../transformations/block-quantization.js'
import { productInParts } from './product-in-parts.js'
import { NF4_BLOCK, NF4_VALUES, SCALE_BLOCK, nf4Names } from './nf4.js'

/**
 * TF.js kernel of engines that multiply with packed NF4 weights: `inputs: { x, after, codes, scales, pairs, map, nestedScales, nestedOffset }`, of
 * which the last three exist only with double quantization; `after` must be computed before the weight is dequantized; `attrs: { outputs, inputs, first, isGradient }`.
 */
export const NF4_PRODUCT = 'AttuneNf4Product'

/** The two values of each byte, `[256, 2]`: one gather per two weights. */
const PAIRS = Float32Array.from({ length: 512 }, (_, i) => NF4_VALUES[i % 2 === 0 ? i >> 5 : (i >> 1) & 15]!)
const DYNAMIC = dynamicMap(true)

/** Numbers of int32 that hold the codes of a block. */
const CODES = NF4_BLOCK / 8

/** A weight in NF4, or some of its rows: its tensors among the parameters, and its shape. */
export interface Nf4Weight {
  readonly layer: string
  readonly params: Params
  /** `[out, in]`. */
  readonly shape: readonly [outputs: number, inputs: number]
  /** Index of the first row. Rows must consist of whole blocks if not all of them are read. Default: 0. */
  readonly first?: number
}

/** True if a layer's weight is stored in NF4. */
export const hasNf4 = (params: Params, layer: string): boolean => params[nf4Names(layer).codes] !== undefined

/** The scales of all blocks of a weight, `[blocks, 1]`. */
function scalesOf({ params, layer }: Pick<Nf4Weight, 'params' | 'layer'>, blocks: number): Tensor {
  const names = nf4Names(layer)
  const [scales, nested, offset] = [params[names.scales]!, params[names.nestedScales], params[names.nestedOffset]]
  if (nested === undefined || offset === undefined) return reshape(scales, [blocks, 1])
  const codes = slice(bytesOf(scales), [0], [blocks])
  const values = pad(gather(tensor1d(DYNAMIC), codes as never), [[0, nested.size * SCALE_BLOCK - blocks]])
  const scaled = add(mul(reshape(values, [nested.size, SCALE_BLOCK]), reshape(nested, [nested.size, 1])), offset)
  return reshape(slice(reshape(scaled, [-1]), [0], [blocks]), [blocks, 1])
}

/** Values of packed codes, of which the first dimension is that of the scales: `[blocks, 64]`, for scales `[blocks, 1]`. */
const valuesOf = (codes: Tensor, scales: Tensor): Tensor =>
  mul(reshape(gather(tensor(PAIRS, [256, 2]), bytesOf(codes) as never), [-1, NF4_BLOCK]), scales)

/**
 * Dequantizes a weight to float32, `[out, in]`.
 * @param after a tensor that must be computed first. The weight then exists only from that time on, and is not a constant that a compiler
 * would compute once and keep.
 */
export function dequantizeNf4(weight: Nf4Weight, after?: Tensor): Tensor {
  const [outputs, inputs] = weight.shape
  const size = outputs * inputs
  const [start, blocks] = [((weight.first ?? 0) * inputs) / NF4_BLOCK, Math.ceil(size / NF4_BLOCK)]
  const all = reshape(weight.params[nf4Names(weight.layer).codes]!, [-1])
  const scales = scalesOf(weight, all.size / CODES)
  const isWhole = all.size === blocks * CODES
  const packed = isWhole ? all : slice(all, [start * CODES], [blocks * CODES])
  const zero = after === undefined ? undefined : mul(slice(reshape(after, [-1]), [0], [1]), 0)
  const codes = zero === undefined ? packed : add(packed, cast(zero, 'int32'))
  const flat = reshape(valuesOf(codes, isWhole ? scales : slice(scales, [start, 0], [blocks, 1])), [-1])
  return reshape(size === flat.size ? flat : slice(flat, [0], [size]), [outputs, inputs])
}

/** Product with the packed weight: `x·Wᵀ`, or `x·W` for its gradient. */
function packedProduct(
  x: Tensor,
  { layer, params, shape, first = 0 }: Nf4Weight,
  isGradient: boolean,
  after = x,
): Tensor {
  const names = nf4Names(layer)
  const [nestedScales, nestedOffset] = [params[names.nestedScales], params[names.nestedOffset]]
  const nested = nestedScales && nestedOffset && { map: tensor1d(DYNAMIC), nestedScales, nestedOffset }
  const own = { codes: params[names.codes]!, scales: params[names.scales]!, pairs: tensor(PAIRS, [256, 2]) }
  const [outputs, inputs] = shape
  return engine().runKernel(
    NF4_PRODUCT,
    { x, after, ...own, ...nested },
    { outputs, inputs, first, isGradient },
  ) as Tensor
}

/**
 * `x·Wᵀ`, or `x·W` for its gradient: with the packed weight if the engine can, otherwise with the dequantized one.
 * @param after a tensor that must be computed before the weight is dequantized
 */
function times(x: Tensor, weight: Nf4Weight, isGradient: boolean, after = x): Tensor {
  backend() // initialises the engine, which must precede the lookup of a kernel by name
  return getKernel(NF4_PRODUCT, getBackend()) == null
    ? matMul(x, dequantizeNf4(weight, after), false, !isGradient)
    : packedProduct(x, weight, isGradient, after)
}

/**
 * Product with a frozen NF4 weight, `x·Wᵀ`, `[rows, in]` → `[rows, out]`. The weight is dequantized in the forward pass and again in the
 * backward pass, so that it is never kept between them. The gradient passes to `x` only.
 */
export const nf4Product = (x: Tensor, weight: Nf4Weight): Tensor =>
  customGrad((input) => ({
    value: times(input as Tensor, weight, false),
    gradFunc: (dy: Tensor) => times(dy, weight, true),
  }))(x)

/**
 * Product with a frozen table in NF4, such as tied word embeddings: `x·Wᵀ`, `[rows, width]` → `[rows, entries]`. The table is dequantized
 * in parts. The gradient passes to `x` only.
 * @param most maximum number of values of a part. Default: 4 MB.
 */
export function nf4TableProduct(x: Tensor, params: Params, layer: string, most?: number): Tensor {
  const [entries, words] = params[nf4Names(layer).codes]!.shape as [number, number]
  const width = words * (NF4_BLOCK / CODES)
  return productInParts(x, {
    shape: [entries, width],
    most,
    times: (by, { first, rows }, isGradient, after) =>
      times(by, { layer, params, shape: [rows, width], first }, isGradient, after),
  })
}

/** Rows of a frozen table in NF4 at int32 `ids` `[…]`, as `[…, width]`. Only these rows are dequantized. */
export function nf4Rows(params: Params, layer: string, ids: Tensor): Tensor {
  const table = params[nf4Names(layer).codes]!
  const [entries, words] = table.shape as [number, number]
  const at = reshape(ids, [-1]) as never
  const codes = gather(table, at)
  const scales = gather(reshape(scalesOf({ params, layer }, table.size / CODES), [entries, words / CODES]), at)
  return reshape(valuesOf(reshape(codes, [-1]), reshape(scales, [-1, 1])), [...ids.shape, words * (NF4_BLOCK / CODES)])
}
