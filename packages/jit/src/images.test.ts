import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor3D, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core'
import { type Samplers, type Op, type Trial, testSampled } from './sampling.test.fixture.js'
import { jit } from './index.js'

const g = 'gradient'

/** Batch of images with 1 to 3 spatial dimensions, and the windows on it. */
function drawn(d: Samplers, dimensions: number) {
  const [batch] = d.shape(1, 1) as [number]
  const spatial = Array.from({ length: dimensions }, () => 1 + d.below(dimensions === 3 ? 4 : 6))
  const channels = 1 + d.below(3)
  const pad = d.pick(['same', 'valid', 0, 1] as const)
  const size = spatial.map((n) => 1 + d.below(Math.min(3, n)))
  const strides = spatial.map(() => 1 + d.below(3))
  return { batch, spatial, channels, pad, size, strides, shape: [batch, ...spatial, channels] }
}

type Pad = 'same' | 'valid' | number

const convolutions: Record<string, (d: Samplers) => Trial> = {
  conv1d: (d) => {
    const { shape, size, strides, pad, channels } = drawn(d, 1)
    const op: Op = (x, w) => tf.conv1d(x as Tensor3D, w as Tensor3D, strides[0]!, pad)
    return [op, [d.real(shape), d.real([...size, channels, 1 + d.below(4)])], g]
  },
  conv2d: (d) => {
    const { shape, size, strides, pad, channels } = drawn(d, 2)
    const op: Op = (x, w) => tf.conv2d(x as Tensor4D, w as Tensor4D, strides as [number, number], pad)
    return [op, [d.real(shape), d.real([...size, channels, 1 + d.below(4)])], g]
  },
  conv2dPadded: (d) => {
    const { shape, size, strides, channels } = drawn(d, 2)
    const around = (): [number, number] => [d.below(3), d.below(3)]
    const pad: tf.backend_util.ExplicitPadding = [[0, 0], around(), around(), [0, 0]]
    const op: Op = (x, w) => tf.conv2d(x as Tensor4D, w as Tensor4D, strides as [number, number], pad)
    return [op, [d.real(shape), d.real([...size, channels, 2])], g]
  },
  conv2dChannelsFirst: (d) => {
    const { batch, spatial, size, strides, pad, channels } = drawn(d, 2)
    const op: Op = (x, w) => tf.conv2d(x as Tensor4D, w as Tensor4D, strides as [number, number], pad, 'NCHW')
    return [op, [d.real([batch, channels, ...spatial]), d.real([...size, channels, 1 + d.below(4)])], g]
  },
  conv2dDilated: (d) => {
    const { shape, size, pad, channels } = drawn(d, 2)
    const dilations = [1 + d.below(2), 1 + d.below(2)] as [number, number]
    const op: Op = (x, w) => tf.conv2d(x as Tensor4D, w as Tensor4D, 1, pad, 'NHWC', dilations)
    return [op, [d.real(shape), d.real([...size, channels, 2])]]
  },
  conv2dTranspose: (d) => {
    const { spatial, size, strides, channels } = drawn(d, 2)
    const shape = [2, ...spatial.map((n, i) => n * strides[i]!), 3] as [number, number, number, number]
    const op: Op = (x, w) =>
      tf.conv2dTranspose(x as Tensor4D, w as Tensor4D, shape, strides as [number, number], 'same')
    return [op, [d.real([2, ...spatial, channels]), d.real([...size, 3, channels])], g]
  },
  conv3d: (d) => {
    const { shape, size, strides, pad, channels } = drawn(d, 3)
    const by = strides as [number, number, number]
    const op: Op = (x, w) => tf.conv3d(x as Tensor5D, w as Tensor5D, by, typeof pad === 'number' ? 'same' : pad)
    return [op, [d.real(shape), d.real([...size, channels, 2])], g]
  },
  depthwiseConv2d: (d) => {
    const { shape, size, strides, pad, channels } = drawn(d, 2)
    const op: Op = (x, w) => tf.depthwiseConv2d(x as Tensor4D, w as Tensor4D, strides as [number, number], pad)
    return [op, [d.real(shape), d.real([...size, channels, 1 + d.below(2)])], g]
  },
  separableConv2d: (d) => {
    const { shape, size, pad, channels } = drawn(d, 2)
    const op: Op = (x, w, v) => tf.separableConv2d(x as Tensor4D, w as Tensor4D, v as Tensor4D, 1, pad as 'same')
    return [op, [d.real(shape), d.real([...size, channels, 2]), d.real([1, 1, channels * 2, 3])], g]
  },
  fusedConv2d: (d) => {
    const { shape, size, strides, pad, channels } = drawn(d, 2)
    const activation = d.pick(['linear', 'relu', 'elu', 'relu6', 'sigmoid', 'leakyrelu', 'prelu'] as const)
    const call = { strides: strides as [number, number], pad, activation, leakyreluAlpha: 0.3 }
    const op: Op = (x, w, bias, slopes) => {
      const own = activation === 'prelu' ? { preluActivationWeights: slopes! } : {}
      return tf.fused.conv2d({ ...call, ...own, x: x as Tensor4D, filter: w as Tensor4D, bias: bias! })
    }
    return [op, [d.real(shape), d.real([...size, channels, 2]), d.real([2]), d.real([1, 1, 2])]]
  },
  fusedConv2dGradient: (d) => {
    const { shape, size, channels } = drawn(d, 2)
    const op: Op = (x, w, bias) =>
      tf.fused.conv2d({
        x: x as Tensor4D,
        filter: w as Tensor4D,
        bias: bias!,
        strides: 1,
        pad: 'same',
        activation: 'relu',
      })
    return [op, [d.real(shape), d.real([...size, channels, 2]), d.real([2])], g]
  },
  fusedDepthwiseConv2d: (d) => {
    const { shape, size, pad, channels } = drawn(d, 2)
    const op: Op = (x, w, bias) =>
      tf.fused.depthwiseConv2d({
        x: x as Tensor4D,
        filter: w as Tensor4D,
        bias: bias!,
        strides: 1,
        pad,
        activation: 'relu',
      })
    return [op, [d.real(shape), d.real([...size, channels, 2]), d.real([channels * 2])]]
  },
}

const pool =
  (dimensions: number, f: (x: Tensor, size: never, strides: never, pad: Pad) => Tensor, averages: boolean) =>
  (d: Samplers): Trial => {
    const { shape, size, strides, pad } = drawn(d, dimensions)
    // TF.js' gradient of an average divides by the full window size even if a part of the window lies outside. And with
    // numeric padding it counts windows in all dimensions as in the first.
    const own = averages ? 'valid' : typeof pad === 'number' ? 'same' : pad
    return [(x) => f(x!, size as never, strides as never, own), [d.real(shape)], g]
  }

const pools: Record<string, (d: Samplers) => Trial> = {
  maxPool: pool(2, tf.maxPool as never, false),
  avgPoolGradient: pool(2, tf.avgPool as never, true),
  avgPool: (d) => pool(2, tf.avgPool as never, false)(d).slice(0, 2) as unknown as Trial,
  maxPool3d: (d) => {
    // TF.js' gradient assumes square windows.
    const { shape, strides } = drawn(d, 3)
    const op: Op = (x) => tf.maxPool3d(x as Tensor5D, 2, strides as [number, number, number], 'same')
    return [op, [d.real(shape)], g]
  },
  avgPool3dGradient: pool(3, tf.avgPool3d as never, true),
  avgPool3d: (d) => pool(3, tf.avgPool3d as never, false)(d).slice(0, 2) as unknown as Trial,
  maxPoolPadded: (d) => {
    const { shape } = drawn(d, 2)
    const [size, stride] = [2 + d.below(2), 1 + d.below(2)]
    return [(x) => tf.maxPool(x as Tensor4D, size, stride, 1), [d.real(shape)], g]
  },
  maxPoolOfEqual: (d) => {
    const { shape, size, strides } = drawn(d, 2)
    const op: Op = (x) => tf.maxPool(x as Tensor4D, size as [number, number], strides as [number, number], 'same')
    return [op, [d.real(shape, Math.round)], g]
  },
  maxPoolOfWhole: (d) => [(x) => tf.maxPool(x as Tensor4D, 2, 1, 'same'), [d.whole(drawn(d, 2).shape)]],
}

const images: Record<string, (d: Samplers) => Trial> = {
  batchNorm: (d) => {
    const [shape, scaled] = [d.shape(4, 4), d.flag()]
    const channels = [shape[3]!]
    const op: Op = (x, mean, variance, offset, scale) => {
      const [m, v, a, c] = [mean, variance, offset, scale] as tf.Tensor1D[]
      return tf.batchNorm(x as Tensor4D, m!, v!, a, scaled ? c : undefined, 0.01)
    }
    const variance = d.real(channels, (x) => Math.abs(x) + 0.5)
    const inputs = [d.real(shape), d.real(channels), variance, d.real(channels), d.real(channels)]
    return [op, inputs, scaled ? g : undefined] // TF.js has no gradient without a scale
  },
  localResponseNormalization: (d) => {
    const radius = 1 + d.below(3)
    const op: Op = (x) => tf.localResponseNormalization(x as Tensor4D, radius, 1, 0.5, 0.75)
    return [op, [d.real(d.shape(4, 4))], g]
  },
  resizeBilinear: (d) => {
    const { shape, channels } = drawn(d, 2)
    const [size, aligned, n] = [[1 + d.below(7), 1 + d.below(7)] as [number, number], d.below(3), shape[1]!]
    // TF.js' gradient assumes that pixel corners are at integers and images are square.
    if (aligned === 2) return [(x) => tf.image.resizeBilinear(x as Tensor4D, size, false, true), [d.real(shape)]]
    const op: Op = (x) => tf.image.resizeBilinear(x as Tensor4D, size, aligned === 1)
    return [op, [d.real([shape[0]!, n, n, channels])], g]
  },
  resizeNearestNeighbor: (d) => {
    const { spatial, channels } = drawn(d, 2)
    const [size, aligned] = [[1 + d.below(7), 1 + d.below(7)] as [number, number], d.below(3)]
    // TF.js' gradient does not terminate for images one pixel wide, and reads only the first one of a batch.
    const shape = [1, ...spatial.map((n) => n + 1), channels]
    const op: Op = (x) => tf.image.resizeNearestNeighbor(x as Tensor4D, size, aligned === 1, aligned === 2)
    return [op, [d.real(shape)], aligned === 2 ? undefined : g]
  },
  spaceToBatchND: (d) => {
    const { batch, channels } = drawn(d, 2)
    const x = d.real([batch, 4, 3, channels])
    return [(y) => tf.spaceToBatchND(y!, [2, 3], [[1, 1], [0, 3]]), [x], g] // prettier-ignore
  },
  batchToSpaceND: (d) => {
    const { shape, batch } = drawn(d, 2)
    const x = d.real([batch * 6, ...shape.slice(1)])
    return [(y) => tf.batchToSpaceND(y!, [2, 3], [[1, 0], [0, 2]]), [x], g] // prettier-ignore
  },
}

beforeAll(() => {
  tf.enableProdMode()
  return tf.setBackend('cpu')
})

describe('image kernels match the TF.js JavaScript backend on random images:', () => {
  testSampled({ ...convolutions, ...pools, ...images })
})

describe('image kernels with wrong gradients in the TF.js JavaScript backend', () => {
  const CASES: Record<string, [Op, Tensor]> = {
    'average pooling with windows partly outside of the image': [
      (x) => tf.avgPool(x as Tensor4D, [3, 2], [2, 1], 'same'),
      tf.randomNormal([2, 5, 4, 3], 0, 1, 'float32', 1),
    ],
    'max pooling with windows that are not cubes': [
      (x) => tf.maxPool3d(x as Tensor5D, [1, 3, 2], 1, 'same'),
      tf.randomNormal([2, 3, 5, 4, 3], 0, 1, 'float32', 5),
    ],
    'bilinear resizing with half-pixel centers': [
      (x) => tf.image.resizeBilinear(x as Tensor4D, [7, 3], false, true),
      tf.randomNormal([2, 5, 4, 3], 0, 1, 'float32', 2),
    ],
    'nearest-neighbor resizing of a batch': [
      (x) => tf.image.resizeNearestNeighbor(x as Tensor4D, [7, 3], false, true),
      tf.randomNormal([2, 5, 4, 3], 0, 1, 'float32', 3),
    ],
  }

  // Euler's theorem: if f(t·x) = t·f(x), the gradient g of f satisfies ⟨g(x, dy), x⟩ = ⟨dy, f(x)⟩ for every dy.
  it.each(Object.entries(CASES))('have the exact gradient of %s', (_name, [op, x]) => {
    const y = op(x) as Tensor
    const dy = tf.randomNormal(y.shape, 0, 1, 'float32', 4)
    const f = jit((at: Tensor, by: Tensor) => tf.grad((z: Tensor) => op(z) as Tensor)(at, by))
    const [found] = tf.sum(tf.mul(f(x, dy), x)).dataSync()
    expect(found).toBeCloseTo(tf.sum(tf.mul(dy, y)).dataSync()[0]!, 3)
  })

  it('return the smallest float32 and a gradient for max pooling of −∞ only', () => {
    const op = (x: Tensor): Tensor => tf.maxPool(x as Tensor4D, 2, 2, 'valid')
    const x = tf.fill([1, 2, 2, 1], -Infinity)
    expect(jit(op)(x).dataSync()[0]).toBeLessThan(-3.4e38)
    const gradient = jit((at: Tensor) => tf.grad(op)(at))(x)
    expect(tf.sum(gradient).dataSync()[0]).toBe(1)
  })
})
