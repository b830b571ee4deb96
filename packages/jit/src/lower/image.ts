import { backend_util } from '@tensorflow/tfjs-core'
import type { Builder } from '../builder.js'
import { type Value, sizeOf } from '../graph.js'
import {
  type Call,
  type Lowerings,
  add,
  cast,
  full,
  gatherConstant,
  mul,
  pad,
  reshape,
  slice,
  sub,
  transpose,
} from './lowering.js'
import { product } from './product.js'

/** Interpolation of a resized index: its two neighbours in the input, and the weight of the second. */
interface Tap {
  readonly low: number
  readonly high: number
  readonly weight: number
}

/** Interpolation of each index of a resized dimension, as in TF.js. */
function tapsOf({ attr }: Call, from: number, to: number, nearest: boolean): readonly Tap[] {
  const [aligned, half] = [attr<boolean>('alignCorners'), attr<boolean>('halfPixelCenters')]
  const scale = aligned && to > 1 ? (from - 1) / (to - 1) : from / to
  return Array.from({ length: to }, (_, i) => {
    const at = half ? scale * (i + 0.5) - (nearest ? 0 : 0.5) : scale * i
    if (nearest) {
      const index = Math.min(from - 1, aligned ? Math.round(at) : Math.floor(at))
      return { low: index, high: index, weight: 0 }
    }
    const low = Math.max(0, Math.floor(at))
    return { low, high: Math.min(from - 1, Math.ceil(at)), weight: low < at ? at - low : 0 }
  })
}

/** Resizes one dimension by linear interpolation. */
function resized(b: Builder, x: Value, axis: number, taps: readonly Tap[]): Value {
  const low = gatherConstant(b, x, taps.map((tap) => tap.low), axis) // prettier-ignore
  if (taps.every(({ weight }) => weight === 0)) return low
  const high = gatherConstant(b, x, taps.map((tap) => tap.high), axis) // prettier-ignore
  const shape = [taps.length, ...x.shape.slice(axis + 1).map(() => 1)]
  return add(b, low, mul(b, sub(b, high, low), b.constant('float32', taps.map(({ weight }) => weight), shape))) // prettier-ignore
}

const resize =
  (nearest: boolean) =>
  (call: Call): Value => {
    const { b, in: input, attr } = call
    const given = input('images')
    const x = nearest ? given : cast(b, given, 'float32')
    const [height, width] = attr<[number, number]>('size')
    const across = resized(b, x, 2, tapsOf(call, x.shape[2]!, width, nearest))
    return resized(b, across, 1, tapsOf(call, x.shape[1]!, height, nearest))
  }

/** Interpolation matrix: the weight of each input index (row) in each output index (column). */
function interpolationMatrix(b: Builder, taps: readonly Tap[], from: number): Value {
  const weights = new Float32Array(from * taps.length)
  for (const [i, { low, high, weight }] of taps.entries()) {
    weights[low * taps.length + i]! += 1 - weight
    weights[high * taps.length + i]! += weight
  }
  return b.array('float32', weights, [from, taps.length])
}

/** Gradient with respect to the input, one dimension at a time. */
const resizeGradient =
  (nearest: boolean) =>
  (call: Call): Value => {
    const { b, in: input } = call
    const [dy, { shape }] = [input('dy'), input('images')]
    if (sizeOf(dy.shape) === 0 || sizeOf(shape) === 0) return full(b, 'float32', shape, 0)
    const [batch, height, width, channels] = shape as [number, number, number, number]
    const [, rows, columns] = dy.shape as [number, number, number]
    const down = interpolationMatrix(b, tapsOf(call, height, rows, nearest), height)
    const across = interpolationMatrix(b, tapsOf(call, width, columns, nearest), width)
    const shrunk = product(b, down, reshape(b, dy, [batch, rows, columns * channels]), false, false)
    const each = reshape(b, shrunk, [batch * height, columns, channels])
    return reshape(b, product(b, across, each, false, false), shape)
  }

/** Rearranges spatial blocks of images into the batch. */
function spaceToBatch({ b, in: input, attr }: Call): Value {
  const [blocks, paddings] = [attr<number[]>('blockShape'), attr<[number, number][]>('paddings')]
  const x = input('x')
  const rest = x.shape.slice(1 + blocks.length).map(() => [0, 0] as const)
  const padded = pad(b, x, [[0, 0], ...paddings, ...rest], 0)
  const [shape, size] = [[...padded.shape], sizeOf(blocks)]
  const apart = reshape(b, padded, backend_util.getReshaped(shape, blocks, size, false))
  const turned = transpose(b, apart, backend_util.getPermuted(apart.shape.length, blocks.length, false))
  return reshape(b, turned, backend_util.getReshapedPermuted(shape, blocks, size, false))
}

/** Inverse of {@link spaceToBatch}. */
function batchToSpace({ b, in: input, attr }: Call): Value {
  const [blocks, crops] = [attr<number[]>('blockShape'), attr<number[][]>('crops')]
  const [x, size] = [input('x'), sizeOf(attr<number[]>('blockShape'))]
  const apart = reshape(b, x, backend_util.getReshaped([...x.shape], blocks, size))
  const turned = transpose(b, apart, backend_util.getPermuted(apart.shape.length, blocks.length))
  const joined = reshape(b, turned, backend_util.getReshapedPermuted([...x.shape], blocks, size))
  const cropped = joined.shape.map((_, i) => crops[i - 1] ?? [0, 0])
  const sizes = joined.shape.map((n, i) => n - cropped[i]![0]! - cropped[i]![1]!)
  return slice(b, joined, cropped.map(([before]) => before!), sizes) // prettier-ignore
}

/** Image operations: resizing with its gradients, and rearranging blocks. */
export const images: Lowerings = {
  ResizeBilinear: resize(false),
  ResizeBilinearGrad: resizeGradient(false),
  ResizeNearestNeighbor: resize(true),
  ResizeNearestNeighborGrad: resizeGradient(true),
  SpaceToBatchND: spaceToBatch,
  BatchToSpaceND: batchToSpace,
}
