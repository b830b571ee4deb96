import type { Params } from '@attune/core'
import {
  type Tensor,
  add,
  cast,
  customGrad,
  gather,
  matMul,
  mul,
  reshape,
  slice,
  tensor,
  tensor1d,
} from '@tensorflow/tfjs-core'
import { dynamicMap, unpackBytes } from '../transformations/block-quantization.js'
import { NF4_BLOCK, NF4_VALUES, SCALE_BLOCK, nf4Names } from './nf4.js'

/** The two values of each byte, `[256, 2]`: one gather per two weights. */
const PAIRS = Float32Array.from({ length: 512 }, (_, i) => NF4_VALUES[i % 2 === 0 ? i >> 5 : (i >> 1) & 15]!)
const DYNAMIC = dynamicMap(true)

/** A linear layer's weight in NF4: its tensors among the parameters, and its shape. */
export interface Nf4Weight {
  readonly layer: string
  readonly params: Params
  /** `[out, in]`. */
  readonly shape: readonly [outputs: number, inputs: number]
}

/** True if a layer's weight is stored in NF4. */
export const hasNf4 = (params: Params, layer: string): boolean => params[nf4Names(layer).codes] !== undefined

/** The scales of the blocks, `[blocks, 1]`. */
function scalesOf({ params, layer }: Nf4Weight, blocks: number): Tensor {
  const names = nf4Names(layer)
  const [scales, nested, offset] = [params[names.scales]!, params[names.nestedScales], params[names.nestedOffset]]
  if (nested === undefined || offset === undefined) return reshape(scales, [blocks, 1])
  const codes = slice(unpackBytes(scales), [0], [blocks])
  const group = tensor1d(
    Int32Array.from({ length: blocks }, (_, i) => Math.floor(i / SCALE_BLOCK)),
    'int32',
  )
  const values = mul(gather(tensor1d(DYNAMIC), codes as never), gather(nested, group as never))
  return reshape(add(values, offset), [blocks, 1])
}

/**
 * Dequantizes a weight to float32, `[out, in]`.
 * @param after a tensor that must be computed first. The weight then exists only from that time on, and is not a constant that a compiler
 * would compute once and keep.
 */
export function dequantizeNf4(weight: Nf4Weight, after?: Tensor): Tensor {
  const [outputs, inputs] = weight.shape
  const size = outputs * inputs
  const blocks = Math.ceil(size / NF4_BLOCK)
  const packed = weight.params[nf4Names(weight.layer).codes]!
  const zero = after === undefined ? undefined : mul(slice(reshape(after, [-1]), [0], [1]), 0)
  const codes = unpackBytes(zero === undefined ? packed : add(packed, cast(zero, 'int32')))
  const values = reshape(gather(tensor(PAIRS, [256, 2]), codes as never), [blocks, NF4_BLOCK])
  const flat = reshape(mul(values, scalesOf(weight, blocks)), [-1])
  return reshape(size === flat.size ? flat : slice(flat, [0], [size]), [outputs, inputs])
}

/**
 * Product with a frozen NF4 weight, `x·Wᵀ`, `[rows, in]` → `[rows, out]`. The weight is dequantized in the forward pass and again in the
 * backward pass, so that it is never kept between them. The gradient passes to `x` only.
 */
export const nf4Product = (x: Tensor, weight: Nf4Weight): Tensor =>
  customGrad((input) => ({
    value: matMul(input as Tensor, dequantizeNf4(weight, input as Tensor), false, true),
    gradFunc: (dy: Tensor) => matMul(dy, dequantizeNf4(weight, dy)),
  }))(x)
