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
import { NF4_BLOCK, NF4_VALUES, SCALE_BLOCK, nf4Names } from './nf4.js'

/**
 * TF.js kernel of engines that multiply with packed NF4 weights: `inputs: { x, codes, scales, pairs, map, nestedScales, nestedOffset }`, of
 * which the last three exist only with double quantization, `attrs: { outputs, inputs, isGradient }`.
 */
export const NF4_PRODUCT = 'AttuneNf4Product'

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
  const codes = slice(bytesOf(scales), [0], [blocks])
  const values = pad(gather(tensor1d(DYNAMIC), codes as never), [[0, nested.size * SCALE_BLOCK - blocks]])
  const scaled = add(mul(reshape(values, [nested.size, SCALE_BLOCK]), reshape(nested, [nested.size, 1])), offset)
  return reshape(slice(reshape(scaled, [-1]), [0], [blocks]), [blocks, 1])
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
  const codes = bytesOf(zero === undefined ? packed : add(packed, cast(zero, 'int32')))
  const values = reshape(gather(tensor(PAIRS, [256, 2]), codes as never), [blocks, NF4_BLOCK])
  const flat = reshape(mul(values, scalesOf(weight, blocks)), [-1])
  return reshape(size === flat.size ? flat : slice(flat, [0], [size]), [outputs, inputs])
}

/** Product with the packed weight: `x·Wᵀ`, or `x·W` for its gradient. */
function packedProduct(x: Tensor, { layer, params, shape }: Nf4Weight, isGradient: boolean): Tensor {
  const names = nf4Names(layer)
  const [nestedScales, nestedOffset] = [params[names.nestedScales], params[names.nestedOffset]]
  const nested = nestedScales && nestedOffset && { map: tensor1d(DYNAMIC), nestedScales, nestedOffset }
  const own = { codes: params[names.codes]!, scales: params[names.scales]!, pairs: tensor(PAIRS, [256, 2]) }
  const [outputs, inputs] = shape
  return engine().runKernel(NF4_PRODUCT, { x, ...own, ...nested }, { outputs, inputs, isGradient }) as Tensor
}

/**
 * Product with a frozen NF4 weight, `x·Wᵀ`, `[rows, in]` → `[rows, out]`. The weight is dequantized in the forward pass and again in the
 * backward pass, so that it is never kept between them. The gradient passes to `x` only.
 */
export const nf4Product = (x: Tensor, weight: Nf4Weight): Tensor =>
  customGrad((input) => {
    backend() // initialises the engine, which must precede the lookup of a kernel by name
    const isPacked = getKernel(NF4_PRODUCT, getBackend()) != null
    const times = (operand: Tensor, isGradient: boolean): Tensor =>
      isPacked
        ? packedProduct(operand, weight, isGradient)
        : matMul(operand, dequantizeNf4(weight, operand), false, !isGradient)
    return { value: times(input as Tensor, false), gradFunc: (dy: Tensor) => times(dy, true) }
  })(x)
