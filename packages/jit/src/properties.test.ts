import '@tensorflow/tfjs'
import { beforeAll, describe } from '@jest/globals'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { type Samplers, type Op, type Trial, sizeOf, testSampled } from './sampling.test.fixture.js'

const g = 'gradient'
const unary =
  (op: unknown, f?: (x: number) => number) =>
  (d: Samplers): Trial => [op as Op, [d.real(d.shape(), f)], g]
const ofAny =
  (op: unknown, kinds: readonly ('real' | 'whole' | 'truth')[] = ['real', 'whole']) =>
  (d: Samplers): Trial => [op as Op, [d[d.pick(kinds)](d.shape())]]
const binary =
  (op: unknown, f?: (x: number) => number, gradient: 'gradient' | undefined = g) =>
  (d: Samplers): Trial => {
    const [a, b] = d.pair()
    return [op as Op, [d.real(a, f), d.real(b, f)], gradient]
  }
/** Two inputs of one shape: TF.js has no gradient of their broadcast. */
const alike =
  (op: unknown) =>
  (d: Samplers): Trial => {
    const shape = d.shape()
    return [op as Op, [d.real(shape), d.real(shape)], g]
  }
const ofTwo =
  (op: unknown, kinds: readonly ('real' | 'whole' | 'truth')[] = ['real', 'whole', 'truth']) =>
  (d: Samplers): Trial => {
    const [[a, b], kind] = [d.pair(), d.pick(kinds)]
    return [op as Op, [d[kind](a), d[kind](b)]]
  }
/** Reductions of empty tensors are tested separately, where TF.js returns arbitrary values. */
const reduction =
  (op: unknown, kinds: readonly ('real' | 'whole' | 'truth')[], ofNothing = true, gradient?: 'gradient') =>
  (d: Samplers): Trial => {
    const drawn = d.shape()
    const shape = ofNothing ? drawn : drawn.map((n) => Math.max(n, 1))
    const [axes, keep] = [d.axes(shape), d.flag()]
    const reduce = op as (x: Tensor, axes: number[] | undefined, keep: boolean) => Tensor
    return [(x) => reduce(x!, axes, keep), [d[d.pick(kinds)](shape)], gradient]
  }
/** Along non-negative axes, with a gradient along the last axis only: TF.js returns wrong shapes for others. */
const running =
  (op: unknown, gradient?: 'gradient') =>
  (d: Samplers): Trial => {
    const shape = d.shape(1)
    const [any, exclusive, reverse] = [d.below(shape.length), d.flag(), d.flag()]
    const axis = gradient === undefined ? any : shape.length - 1
    const run = op as (x: Tensor, axis: number, exclusive: boolean, reverse: boolean) => Tensor
    const x = gradient === undefined ? d.any(shape) : d.real(shape)
    return [(y) => run(y!, axis, exclusive, reverse), [x], gradient]
  }
const positive = (x: number): number => Math.abs(x) + 0.1
const inside = (x: number): number => x * 0.45
const apart = (x: number): number => x + Math.sign(x) * 0.2

const elementwise: Record<string, (d: Samplers) => Trial> = {
  ...Object.fromEntries(
    [
      'asinh',
      'atan',
      'ceil',
      'cos',
      'cosh',
      'elu',
      'erf',
      'exp',
      'expm1',
      'floor',
      'neg',
      'relu',
      'relu6',
      'round',
      'selu',
      'sigmoid',
      'sign',
      'sin',
      'sinh',
      'softplus',
      'square',
      'step',
      'tan',
      'tanh',
      'clone',
      'zerosLike',
      'onesLike',
    ].map((name) => [name, unary(tf[name as 'abs'], name === 'tan' ? inside : apart)]),
  ),
  ...Object.fromEntries(['log', 'log1p', 'rsqrt', 'sqrt'].map((name) => [name, unary(tf[name as 'log'], positive)])),
  ...Object.fromEntries(['acos', 'asin', 'atanh'].map((name) => [name, unary(tf[name as 'acos'], inside)])),
  abs: unary(tf.abs, apart),
  acosh: unary(tf.acosh, (x) => 1.1 + Math.abs(x)),
  reciprocal: unary(tf.reciprocal, apart),
  small: unary(
    (x: Tensor) => tf.mul(1e6, tf.add(tf.log1p(x), tf.expm1(x))),
    (x) => x * 1e-6,
  ),
  wholeUnary: (d) => ofAny(d.pick([tf.abs, tf.neg, tf.sign, tf.square, tf.relu, tf.relu6, tf.step]), ['whole'])(d),
  isNaN: unary((x: Tensor) => tf.isNaN(tf.sqrt(x))),
  isInf: unary((x: Tensor) => tf.isInf(tf.div(1, tf.relu(x)))),
  isFinite: unary((x: Tensor) => tf.isFinite(tf.div(x, tf.relu(x)))),
  leakyRelu: ofAny((x: Tensor) => tf.leakyRelu(x, 0.3)),
  clipByValue: unary((x: Tensor) => tf.clipByValue(x, -0.5, 0.7)),
  cast: (d) => {
    const to = d.pick(['float32', 'int32', 'bool'] as const)
    return [(x) => tf.cast(x!, to), [d.any(d.shape())]]
  },
  add: ofTwo(tf.add, ['real', 'whole']),
  sub: ofTwo(tf.sub, ['real', 'whole']),
  mul: ofTwo(tf.mul),
  ...Object.fromEntries(
    ['maximum', 'minimum', 'equal', 'notEqual', 'greater', 'greaterEqual', 'less', 'lessEqual'].map((name) => [
      name,
      ofTwo(tf[name as 'add']),
    ]),
  ),
  ...Object.fromEntries(['mod', 'floorDiv', 'div'].map((name) => [name, ofTwo(tf[name as 'add'], ['real', 'whole'])])),
  squaredDifference: ofTwo(tf.squaredDifference, ['real', 'whole']),
  addGradient: binary(tf.add),
  subGradient: binary(tf.sub),
  mulGradient: binary(tf.mul),
  divGradient: binary(tf.div, apart),
  maximumGradient: alike(tf.maximum),
  minimumGradient: alike(tf.minimum),
  powGradient: binary(tf.pow, positive),
  atan2Gradient: binary(tf.atan2, apart),
  atan2: (d) => {
    const [a, b] = d.pair()
    const edge = (): number => d.pick([0, -0, 1, -1, 2.5, Infinity, -Infinity])
    return [tf.atan2 as Op, [d.real(a, edge), d.real(b, edge)]]
  },
  wholePow: (d) => {
    const [a, b] = d.pair()
    return [tf.pow as Op, [d.whole(a), d.whole(b, 0, 4)]]
  },
  prelu: (d) => {
    const shape = d.shape(1, 4)
    const alpha = shape.slice(1).map((n) => (d.flag() ? 1 : n))
    return [tf.prelu as Op, [d[d.pick(['real', 'whole'] as const)](shape), d.real(alpha)]]
  },
  addN: (d) => {
    const shape = d.shape()
    return [(...x) => tf.addN(x), [d.real(shape), d.real(shape), d.real(shape)], g]
  },
  logicalAnd: ofTwo(tf.logicalAnd, ['truth']),
  logicalOr: ofTwo(tf.logicalOr, ['truth']),
  logicalNot: ofAny(tf.logicalNot, ['truth']),
  where: (d) => {
    const [[a, b], kind] = [d.pair(), d.pick(['real', 'whole', 'truth'] as const)]
    // TF.js does not broadcast a dimension of size 1 to size 0 here.
    const [c, e] = [...a, ...b].includes(0) ? [a, a] : [d.flag() ? a : b, b]
    return [tf.where as Op, [d.truth(c), d[kind](a), d[kind](e)]]
  },
}

const reductions: Record<string, (d: Samplers) => Trial> = {
  sum: reduction(tf.sum, ['real', 'whole', 'truth']),
  sumGradient: reduction(tf.sum, ['real'], true, g),
  mean: reduction(tf.mean, ['real', 'whole'], false),
  meanGradient: reduction(tf.mean, ['real'], false, g),
  max: reduction(tf.max, ['real', 'whole', 'truth'], false),
  maxGradient: reduction(tf.max, ['real'], false, g),
  min: reduction(tf.min, ['real', 'whole', 'truth'], false),
  prod: reduction(tf.prod, ['real', 'whole', 'truth']),
  all: reduction(tf.all, ['truth'], false),
  any: reduction(tf.any, ['truth']),
  logSumExp: reduction(tf.logSumExp, ['real'], false, g),
  argMax: (d) => {
    const shape = d.shape(1)
    const axis = d.axis(shape)
    return [(x) => tf.argMax(x!, axis), [d.any(shape)]]
  },
  argMin: (d) => {
    const shape = d.shape(1)
    const axis = d.axis(shape)
    return [(x) => tf.argMin(x!, axis), [d.any(shape)]]
  },
  cumsum: running(tf.cumsum),
  cumsumGradient: running(tf.cumsum, g),
  cumprod: running(tf.cumprod),
  softmax: (d) => [(x) => tf.softmax(x!), [d.real(d.shape(1))], g],
  logSoftmax: (d) => [(x) => tf.logSoftmax(x!), [d.real(d.shape(1))], g],
  topk: (d) => {
    const shape = d.shape(1)
    const k = d.below(shape.at(-1)! + 1)
    return [(x) => Object.values(tf.topk(x!, k)) as Tensor[], [d.any(shape)]]
  },
}

const products: Record<string, (d: Samplers) => Trial> = {
  matMul: (d) => {
    const [[a, b], [n, k, m]] = [
      d.pair().map((shape) => shape.slice(0, 2)),
      [0, 0, 0].map(() => d.shape(1, 1)[0]!),
    ] as [number[][], number[]]
    const [ta, tb] = [d.flag(), d.flag()]
    const batch = a!.length === b!.length ? [a!, b!] : [a!, a!]
    const [left, right] = [
      [...batch[0]!, ...(ta ? [k!, n!] : [n!, k!])],
      [...batch[1]!, ...(tb ? [m!, k!] : [k!, m!])],
    ]
    return [(x, y) => tf.matMul(x!, y!, ta, tb), [d.real(left), d.real(right)], g]
  },
  fusedMatMul: (d) => {
    const [n, k, m] = [0, 0, 0].map(() => d.shape(1, 1)[0]!) as [number, number, number]
    const activation = d.pick(['linear', 'relu', 'elu', 'relu6', 'sigmoid', 'leakyrelu', 'prelu'] as const)
    const biased = d.flag()
    const op: Op = (a, b, bias, slopes) =>
      tf.fused.matMul({
        ...{ a: a as tf.Tensor2D, b: b as tf.Tensor2D, activation, leakyreluAlpha: 0.3 },
        ...(biased ? { bias: bias! } : {}),
        ...(activation === 'prelu' ? { preluActivationWeights: slopes! } : {}),
      })
    return [op, [d.real([n, k]), d.real([k, m]), d.real([m]), d.real([1, m])]]
  },
  einsum: (d) => {
    const [i, j, k] = [0, 0, 0].map(() => d.shape(1, 1)[0]!) as [number, number, number]
    return [(a, b) => tf.einsum('ij,jk->ik', a!, b!), [d.real([i, j]), d.real([j, k])]]
  },
}

const movements: Record<string, (d: Samplers) => Trial> = {
  transpose: (d) => {
    const shape = d.shape()
    const perm = [...shape.keys()].sort(() => (d.flag() ? 1 : -1))
    return [(x) => tf.mul(tf.transpose(x!, perm), 2), [d.real(shape)], g]
  },
  reshape: (d) => {
    const shape = d.shape()
    const flat = d.flag() ? [sizeOf(shape)] : [...shape].reverse()
    return [(x) => tf.mul(tf.reshape(x!, flat), 2), [d.real(shape)], g]
  },
  expandDims: (d) => {
    const shape = d.shape(0, 4)
    const axis = d.below(shape.length + 1)
    return [(x) => tf.mul(tf.expandDims(x!, axis), 2), [d.real(shape)], g]
  },
  slice: (d) => {
    const shape = d.shape(1, 4)
    const begin = shape.map((n) => d.below(n + 1))
    const size = shape.map((n, i) => (d.below(3) === 0 ? -1 : d.below(n - begin[i]! + 1)))
    return [(x) => tf.slice(x!, begin, size), [d.any(shape)]]
  },
  sliceGradient: (d) => {
    const shape = d.shape(1, 4)
    const begin = shape.map((n) => d.below(n + 1))
    return [(x) => tf.slice(x!, begin), [d.real(shape)], g]
  },
  stridedSlice: (d) => {
    const shape = d.shape(1, 4)
    const [begin, end] = [shape.map((n) => d.below(n + 1)), shape.map((n) => d.below(n + 1))]
    const strides = shape.map(() => d.pick([1, 2, 3, -1, -2]))
    const [beginMask, endMask, shrink] = [d.below(4), d.below(4), 0]
    return [(x) => tf.stridedSlice(x!, begin, end, strides, beginMask, endMask, 0, 0, shrink), [d.any(shape)]]
  },
  concat: (d) => {
    const shape = d.shape(1, 4)
    const axis = d.axis(shape)
    const other = (): number[] => shape.map((n, i) => (i === (axis + shape.length) % shape.length ? d.below(4) : n))
    return [(...x) => tf.concat(x, axis), [d.real(shape), d.real(other()), d.real(other())], g]
  },
  stack: (d) => {
    const shape = d.shape(0, 4)
    const axis = d.below(shape.length + 1)
    return [(a, b) => tf.stack([a!, b!], axis), [d.real(shape), d.real(shape)], g]
  },
  unstack: (d) => {
    const shape = d.shape(1, 4)
    const axis = d.axis(shape)
    return [(x) => tf.unstack(x!, axis), [d.any(shape)]]
  },
  split: (d) => {
    const shape = d.shape(1, 4)
    const axis = d.below(shape.length)
    const first = d.below(shape[axis]! + 1)
    return [(x) => tf.split(x!, [first, shape[axis]! - first], axis), [d.any(shape)]]
  },
  tile: (d) => {
    const shape = d.shape(1, 4)
    const reps = shape.map(() => d.below(4))
    return [(x) => tf.tile(x!, reps), [d.any(shape)]]
  },
  pad: (d) => {
    const shape = d.shape(1, 4)
    const amounts = shape.map(() => [d.below(3), d.below(3)] as [number, number])
    return [(x) => tf.pad(x!, amounts, 3), [d.real(shape)], g]
  },
  mirrorPad: (d) => {
    const shape = d.shape(1, 4)
    const mode = d.pick(['reflect', 'symmetric'] as const)
    const most = (n: number): number => (mode === 'reflect' ? Math.max(0, n - 1) : n)
    const amounts = shape.map((n) => [d.below(most(n) + 1), d.below(most(n) + 1)] as [number, number])
    return [(x) => tf.mirrorPad(x!, amounts, mode), [d.any(shape)]]
  },
  reverse: (d) => {
    const shape = d.shape()
    const axes = d.axes(shape)
    return [(x) => tf.reverse(x!, axes), [d.real(shape)], g]
  },
}

const indexing: Record<string, (d: Samplers) => Trial> = {
  gather: (d) => {
    const shape = d.shape(1, 4)
    const at = d.shape(1, 3)
    const axis = d.below(shape.length)
    const batch = d.below(Math.min(axis, at.length) + 1)
    const indexShape = at.map((n, i) => (i < batch ? shape[i]! : shape[axis] === 0 ? 0 : n))
    const ids = d.whole(indexShape, 0, Math.max(1, shape[axis]!))
    return [(x, i) => tf.gather(x!, i as tf.Tensor1D, axis, batch), [d.any(shape), ids]]
  },
  gatherGradient: (d) => {
    const shape = d.shape(1, 3)
    const axis = d.below(shape.length)
    const ids = d.whole([shape[axis] === 0 ? 0 : d.below(5)], 0, Math.max(1, shape[axis]!))
    return [(x) => tf.gather(x!, ids as tf.Tensor1D, axis), [d.real(shape)], g]
  },
  gatherND: (d) => {
    const shape = d.shape(1, 3).map((n) => Math.max(n, 1))
    const depth = 1 + d.below(shape.length)
    const ids = d.whole([d.below(4), depth], 0, Math.min(...shape))
    return [(x, i) => tf.gatherND(x!, i!), [d.real(shape), ids]]
  },
  scatterND: (d) => {
    const [rows, shape] = [d.below(4), d.shape(1, 3).map((n) => Math.max(n, 1))]
    return [(i, x) => tf.scatterND(i!, x!, shape), [d.whole([rows, 1], 0, shape[0]), d.real([rows, ...shape.slice(1)])]]
  },
  tensorScatterUpdate: (d) => {
    const shape = d.shape(1, 3).map((n) => Math.max(n, 1))
    const ids = tf.reshape(tf.range(0, d.below(shape[0]! + 1), 1, 'int32'), [-1, 1])
    const update: Op = (x, u) => tf.tensorScatterUpdate(tf.mul(x!, 1), ids as tf.Tensor2D, u!)
    return [update, [d.real(shape), d.real([ids.shape[0]!, ...shape.slice(1)])]]
  },
  unsortedSegmentSum: (d) => {
    const shape = d.shape(1, 4)
    const count = 1 + d.below(4)
    return [(x, i) => tf.unsortedSegmentSum(x!, i as tf.Tensor1D, count), [d.real(shape), d.whole([shape[0]!], -2, 6)]]
  },
  segmentSumGradient: (d) => {
    const shape = d.shape(1, 4)
    const ids = d.whole([shape[0]!], -2, 4)
    return [(x) => tf.unsortedSegmentSum(x!, ids as tf.Tensor1D, 4), [d.real(shape)], g]
  },
  oneHot: (d) => {
    const depth = 1 + d.below(4)
    const type = d.pick(['float32', 'int32', 'bool'] as const)
    return [(i) => tf.oneHot(i!, depth, 1, 0, type), [d.whole(d.shape(0, 4), -1, 6)]]
  },
  range: (d) => {
    const [from, to, step] = [d.below(9), d.below(9), 1 + d.below(3)]
    return [(x) => tf.add(x!, tf.range(from, to, from > to ? -step : step)), [d.real([])]]
  },
  linspace: (d) => {
    const count = 1 + d.below(5)
    return [(x) => tf.add(x!, tf.linspace(-1, 2, count)), [d.real([])]]
  },
  fill: (d) => {
    const shape = d.shape()
    return [(x) => tf.mul(x!, tf.fill(shape, 0.5)), [d.real([])], g]
  },
}

describe('kernels match the TF.js JavaScript backend on random shapes, types and axes:', () => {
  beforeAll(() => {
    tf.enableProdMode()
    return tf.setBackend('cpu')
  })

  testSampled({ ...elementwise, ...reductions, ...products, ...movements, ...indexing })
})
