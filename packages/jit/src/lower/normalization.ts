import type { Builder } from '../builder.js'
import type { Value } from '../graph.js'
import { type Call, type Lowerings, add, binary, div, mul, scalar, sub, unary } from './lowering.js'
import { product } from './product.js'

/** `offset + (x − mean) · scale / √(variance + ε)`. */
function batchNormalization({ b, in: input, maybe, attr }: Call): Value {
  const epsilon = scalar(b, 'float32', attr<number | undefined>('varianceEpsilon') ?? 0.001)
  const inverse = unary(b, 'Reciprocal', unary(b, 'Sqrt', add(b, input('variance'), epsilon)))
  const [scale, offset] = [maybe('scale'), maybe('offset')]
  const factor = scale === undefined ? inverse : mul(b, inverse, scale)
  const normal = mul(b, sub(b, input('x'), input('mean')), factor)
  return offset === undefined ? normal : add(b, normal, offset)
}

/** Sum over the neighbouring channels of each channel, as a product with a banded matrix of ones. */
function sumNeighbours(b: Builder, x: Value, radius: number): Value {
  const channels = x.shape.at(-1)!
  const mask = Float32Array.from({ length: channels * channels }, (_, i) =>
    Math.abs(Math.floor(i / channels) - (i % channels)) <= radius ? 1 : 0,
  )
  return product(b, x, b.array('float32', mask, [channels, channels]), false, false)
}

/** Attributes of local response normalization, and `bias + α · Σ x²` over the neighbouring channels. */
function response({ b, in: input, attr }: Call) {
  const one = (n: number): Value => scalar(b, 'float32', n)
  const [x, alpha, beta] = [input('x'), attr<number>('alpha'), attr<number>('beta')]
  const sums = sumNeighbours(b, mul(b, x, x), attr('depthRadius'))
  const norm = add(b, mul(b, sums, one(alpha)), one(attr('bias')))
  return { x, norm, power: binary(b, 'Pow', norm, one(-beta)), twice: one(2 * alpha * beta) }
}

/** Normalization operations. */
export const normalizations: Lowerings = {
  FusedBatchNorm: batchNormalization,
  LRN: (call) => {
    const { x, power } = response(call)
    return mul(call.b, x, power)
  },
  LRNGrad: (call) => {
    const { b, in: input, attr } = call
    const { x, norm, power, twice } = response(call)
    const [y, dy] = [input('y'), input('dy')]
    const others = sumNeighbours(b, div(b, mul(b, dy, y), norm), attr('depthRadius'))
    return sub(b, mul(b, dy, power), mul(b, twice, mul(b, x, others)))
  },
}
