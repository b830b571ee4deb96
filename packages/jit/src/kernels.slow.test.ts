import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { key, normals, stream } from '@attune/core'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { jit, kernelNames } from './index.js'

type Op = (...x: Tensor[]) => Tensor | Tensor[]

/** A function of tensors, with the shapes, types and ranges of its inputs. */
interface Case {
  readonly op: Op
  readonly inputs: readonly (() => Tensor)[]
  /** True to compare the gradient, too. */
  readonly gradient?: boolean
  readonly tolerance?: number
}

const next = normals(stream(key(11)))
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
const real =
  (shape: number[], f: (x: number) => number = (x) => x) =>
  (): Tensor =>
    tf.tensor(
      Float32Array.from({ length: size(shape) }, () => f(next())),
      shape,
      'float32',
    )
const whole =
  (shape: number[], below: number, from = 0) =>
  (): Tensor =>
    tf.tensor(
      Int32Array.from({ length: size(shape) }, (_, i) => from + ((i * 7919) % (below - from))),
      shape,
      'int32',
    )
const truth = (shape: number[]) => (): Tensor =>
  tf.tensor(
    Uint8Array.from({ length: size(shape) }, (_, i) => (i * 7 + (i >> 2)) % 2),
    shape,
    'bool',
  )

const SHAPES: number[][] = [[], [1], [5], [2, 3], [2, 1, 4], [0], [2, 0, 3], [300, 7]]
const PAIRS: [number[], number[]][] = [
  [[], []],
  [[3], []],
  [[], [2, 3]],
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [1, 3],
    [2, 1],
  ],
  [
    [4, 1, 2],
    [3, 1],
  ],
  [
    [2, 3, 1, 5],
    [1, 4, 5],
  ],
  [[0], [1]],
  [
    [2, 0],
    [2, 1],
  ],
]
const positive = (x: number): number => Math.abs(x) + 0.1
const inside = (x: number): number => Math.tanh(x) * 0.9
const apart = (x: number): number => x + Math.sign(x) * 0.2

const each = (op: Op, f: (x: number) => number = (x) => x, rest: Partial<Case> = {}): Case[] =>
  SHAPES.map((shape) => ({ op, inputs: [real(shape, f)], gradient: true, ...rest }))

const both = (op: Op, f: (x: number) => number = (x) => x, rest: Partial<Case> = {}): Case[] =>
  PAIRS.map(([a, b]) => {
    // TF.js has no gradients of broadcasts to empty tensors.
    const gradient = rest.gradient === true && size(a) * size(b) > 0
    return { op, inputs: [real(a, f), real(b, f)], ...rest, gradient }
  })

const integers = (op: Op): Case[] => PAIRS.map(([a, b]) => ({ op, inputs: [whole(a, 9, -8), whole(b, 5, 1)] }))

const AXES: [number[], number | number[] | undefined][] = [
  [[3], 0],
  [[2, 3], undefined],
  [[2, 3], 1],
  [
    [2, 3],
    [0, 1],
  ],
  [[2, 1, 4], -1],
  [
    [2, 1, 4],
    [0, 2],
  ],
  [[2, 1, 4], 1],
  [
    [3, 4, 5, 2],
    [1, 3],
  ],
  [[1, 1], 0],
]
const reduced = (
  op: (x: Tensor, axis: number | number[] | undefined, keep: boolean) => Tensor,
  input = real,
  rest: Partial<Case> = {},
): Case[] =>
  AXES.flatMap(([shape, axis]) =>
    [true, false].map((keep) => ({
      op: ((x: Tensor) => op(x, axis, keep)) as Op,
      inputs: [input(shape)],
      gradient: true,
      ...rest,
    })),
  )

const one = (op: Op, inputs: readonly (() => Tensor)[], rest: Partial<Case> = {}): Case => ({ op, inputs, ...rest })
const g = { gradient: true }

/** Cases by TF.js operation. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  abs: [...each(tf.abs as Op, apart), one(tf.abs as Op, [whole([5], 9, -8)])],
  acos: each(tf.acos as Op, inside),
  acosh: each(tf.acosh as Op, (x) => 1.1 + Math.abs(x)),
  asin: each(tf.asin as Op, inside),
  asinh: each(tf.asinh as Op),
  atan: each(tf.atan as Op),
  atanh: each(tf.atanh as Op, inside),
  ceil: each(tf.ceil as Op),
  cos: each(tf.cos as Op),
  cosh: each(tf.cosh as Op),
  elu: each(tf.elu as Op),
  erf: each(tf.erf as Op),
  exp: each(tf.exp as Op),
  expm1: each(tf.expm1 as Op),
  floor: each(tf.floor as Op),
  isFinite: each(
    (x) => tf.isFinite(tf.div(x!, tf.relu(x!))),
    (x) => x,
    { gradient: false },
  ),
  isInf: each(
    (x) => tf.isInf(tf.div(1, tf.relu(x!))),
    (x) => x,
    { gradient: false },
  ),
  isNaN: each(
    (x) => tf.isNaN(tf.sqrt(x!)),
    (x) => x,
    { gradient: false },
  ),
  leakyRelu: each((x) => tf.leakyRelu(x!, 0.3)),
  log: each(tf.log as Op, positive),
  log1p: each(tf.log1p as Op, positive),
  neg: [...each(tf.neg as Op), one(tf.neg as Op, [whole([5], 9, -8)])],
  reciprocal: each(tf.reciprocal as Op, apart),
  relu: [...each(tf.relu as Op), one(tf.relu as Op, [whole([5], 9, -8)])],
  relu6: each(tf.relu6 as Op, (x) => 4 * x),
  round: each(tf.round as Op, (x) => Math.round(4 * x) / 2),
  rsqrt: each(tf.rsqrt as Op, positive),
  selu: each(tf.selu as Op),
  sigmoid: each(tf.sigmoid as Op, (x) => 20 * x),
  sign: each(tf.sign as Op),
  sin: each(tf.sin as Op),
  sinh: each(tf.sinh as Op),
  softplus: each(tf.softplus as Op, (x) => 9 * x),
  sqrt: each(tf.sqrt as Op, positive),
  square: [...each(tf.square as Op), one(tf.square as Op, [whole([5], 9, -8)])],
  step: each((x) => tf.step(x!, 0.25)),
  tan: each(tf.tan as Op),
  tanh: each(tf.tanh as Op),
  clipByValue: each((x) => tf.clipByValue(x!, -0.5, 0.7)),
  cast: [
    ...each(
      (x) => tf.cast(x!, 'int32'),
      (x) => 5 * x,
      { gradient: false },
    ),
    ...each(
      (x) => tf.cast(x!, 'bool'),
      (x) => Math.round(x),
      { gradient: false },
    ),
    one((x) => tf.cast(x!, 'float32'), [truth([2, 3])]),
    one((x) => tf.cast(x!, 'float32'), [whole([2, 3], 9)]),
    one((x) => tf.cast(x!, 'int32'), [truth([2, 3])]),
  ],
  onesLike: each(tf.onesLike as Op, (x) => x, { gradient: false }),
  zerosLike: each((x) => tf.add(tf.zerosLike(x!), x!)),
  identity: each((x) => tf.mul(tf.clone(x!), 2)),
  add: [...both(tf.add as Op, (x) => x, g), ...integers(tf.add as Op)],
  sub: [...both(tf.sub as Op, (x) => x, g), ...integers(tf.sub as Op)],
  mul: [...both(tf.mul as Op, (x) => x, g), ...integers(tf.mul as Op)],
  div: both(
    (a, b) => tf.div(a!, tf.add(tf.square(b!), 1)),
    (x) => x,
    g,
  ),
  maximum: [...both(tf.maximum as Op), ...integers(tf.maximum as Op), one(tf.maximum as Op, [real([4]), real([4])], g)],
  minimum: [...both(tf.minimum as Op), ...integers(tf.minimum as Op), one(tf.minimum as Op, [real([4]), real([4])], g)],
  pow: [
    ...both(tf.pow as Op, positive, g),
    ...both(
      (a) => tf.pow(a!, tf.scalar(3)),
      (x) => x,
    ),
  ],
  mod: [...both(tf.mod as Op, apart), ...integers(tf.mod as Op)],
  floorDiv: [...both(tf.floorDiv as Op, apart), ...integers(tf.floorDiv as Op)],
  atan2: both(tf.atan2 as Op, apart, g),
  squaredDifference: [
    ...both(tf.squaredDifference as Op),
    one(tf.squaredDifference as Op, [real([2, 3]), real([2, 3])], g),
  ],
  prelu: both((a, b) => tf.prelu(tf.add(a!, tf.mul(b!, 0)), b!), apart),
  addN: [one((...x) => tf.addN(x), [real([2, 3]), real([2, 3]), real([2, 3])], g)],
  equal: [...integers(tf.equal as Op), one(tf.equal as Op, [truth([4]), truth([4])])],
  notEqual: [...integers(tf.notEqual as Op), one(tf.notEqual as Op, [truth([4]), truth([4])])],
  greater: [...both(tf.greater as Op), ...integers(tf.greater as Op)],
  greaterEqual: [...both(tf.greaterEqual as Op), ...integers(tf.greaterEqual as Op)],
  less: [...both(tf.less as Op), ...integers(tf.less as Op)],
  lessEqual: [...both(tf.lessEqual as Op), ...integers(tf.lessEqual as Op)],
  logicalAnd: [one(tf.logicalAnd as Op, [truth([2, 3]), truth([3])])],
  logicalOr: [one(tf.logicalOr as Op, [truth([2, 3]), truth([3])])],
  logicalNot: [one(tf.logicalNot as Op, [truth([2, 3])])],
  where: [
    one(tf.where as Op, [truth([2, 3]), real([2, 3]), real([2, 3])]),
    one((a, b) => tf.where(tf.tensor2d([[1, 0, 1]], [1, 3], 'bool'), a!, b!), [real([1, 3]), real([1, 3])], g),
    one(tf.where as Op, [truth([3]), whole([2, 3], 9), whole([2, 3], 5)]),
  ],
  sum: [...reduced(tf.sum as never), ...reduced(tf.sum as never, (s) => whole(s, 9, -8), { gradient: false })],
  mean: [...reduced(tf.mean as never), one((x) => tf.mean(x!), [whole([5], 9)])],
  max: [...reduced(tf.max as never), ...reduced(tf.max as never, (s) => whole(s, 9, -8), { gradient: false })],
  min: reduced(tf.min as never),
  // TF.js' gradient of a product does not accept negative axes.
  prod: [
    ...reduced(tf.prod as never, real, { gradient: false }),
    ...[0, 1].map((axis) => one((x) => tf.prod(x!, axis), [real([3, 4])], g)),
  ],
  all: reduced(tf.all as never, truth, { gradient: false }),
  any: reduced(tf.any as never, truth, { gradient: false }),
  argMax: [0, 1, -1].map((axis) => one((x) => tf.argMax(x!, axis), [real([4, 3])])),
  argMin: [0, 1, -1].map((axis) => one((x) => tf.argMin(x!, axis), [real([4, 3])])),
  cumsum: [0, 1].flatMap((axis) =>
    [true, false].flatMap((exclusive) =>
      [true, false].map((reverse) =>
        one((x) => tf.cumsum(x!, axis, exclusive, reverse), [real([3, 4])], axis === 1 ? g : {}),
      ),
    ),
  ),
  cumprod: [0, 1].flatMap((axis) =>
    [true, false].map((exclusive) => one((x) => tf.cumprod(x!, axis, exclusive, !exclusive), [real([3, 4])])),
  ),
  softmax: [[3], [2, 5], [2, 3, 1], [2, 2, 3, 4]].map((shape) => one((x) => tf.softmax(x!), [real(shape)], g)),
  logSoftmax: [[3], [2, 5], [2, 3, 1]].map((shape) => one((x) => tf.logSoftmax(x!), [real(shape)], g)),
  logSumExp: reduced(tf.logSumExp as never),
  matMul: [false, true].flatMap((ta) =>
    [false, true].flatMap((tb) =>
      [[], [1], [2], [2, 3]].map((batch) =>
        one(
          (a, b) => tf.matMul(a!, b!, ta, tb),
          [real([...batch, ...(ta ? [4, 3] : [3, 4])]), real([...batch, ...(tb ? [5, 4] : [4, 5])])],
          g,
        ),
      ),
    ),
  ),
  matMulOfTransposes: [
    one((a, b) => tf.matMul(tf.transpose(a!), b!), [real([4, 3]), real([4, 5])], g),
    one((a, b) => tf.matMul(a!, tf.transpose(b!, [0, 2, 1]), false, false), [real([2, 3, 4]), real([2, 5, 4])], g),
    one((a, b) => tf.matMul(tf.transpose(a!, [1, 0, 2]), b!), [real([3, 2, 4]), real([2, 4, 5])], g),
    one((a, b) => tf.matMul(a!, b!), [real([0, 3]), real([3, 2])]),
    one((a, b) => tf.matMul(a!, b!), [real([2, 0]), real([0, 2])]),
    one((a, b) => tf.matMul(a!, b!), [real([4, 2, 3]), real([1, 3, 2])]),
    one((a, b) => tf.matMul(a!, b!, false, true), [real([4, 2, 3]), real([1, 2, 3])]),
  ],
  fusedMatMul: (['linear', 'relu', 'elu', 'relu6', 'sigmoid'] as const).map((activation) =>
    one(
      (a, b, bias) => tf.fused.matMul({ a: a as never, b: b as never, bias: bias!, activation }),
      [real([3, 4]), real([4, 5]), real([5])],
    ),
  ),
  einsum: [
    one((a, b) => tf.einsum('ij,jk->ik', a!, b!), [real([3, 4]), real([4, 5])]),
    one((a, b) => tf.einsum('bij,bkj->bik', a!, b!), [real([2, 3, 4]), real([2, 5, 4])]),
  ],
  transpose: [
    [
      [2, 3],
      [1, 0],
    ],
    [
      [2, 3, 4],
      [2, 0, 1],
    ],
    [
      [1, 3, 1],
      [2, 1, 0],
    ],
    [
      [2, 3, 4, 5],
      [0, 2, 1, 3],
    ],
    [
      [2, 0],
      [1, 0],
    ],
  ].map(([shape, perm]) => one((x) => tf.mul(tf.transpose(x!, perm), 2), [real(shape!)], g)),
  transposeTwice: [one((x) => tf.transpose(tf.transpose(x!, [2, 0, 1]), [1, 0, 2]), [real([2, 3, 4])], g)],
  reshape: [
    one((x) => tf.mul(tf.reshape(x!, [3, -1]), 2), [real([2, 3])], g),
    one((x) => tf.mul(tf.reshape(tf.reshape(x!, [6]), [1, 6]), 2), [real([2, 3])], g),
    one((x) => tf.reshape(x!, []), [real([1, 1])], g),
    one((x) => tf.reshape(x!, [0, 5]), [real([2, 0])]),
  ],
  expandDims: [0, 1, -1].map((axis) => one((x) => tf.mul(tf.expandDims(x!, axis), 2), [real([2, 3])], g)),
  squeeze: [one((x) => tf.squeeze(x!, [1]), [real([2, 1, 3])], g)],
  slice: [
    one((x) => tf.slice(x!, [0, 1], [-1, 2]), [real([2, 4])], g),
    one((x) => tf.slice(x!, [1], [1]), [real([3, 2])], g),
    one((x) => tf.slice(x!, [0, 1], [2, 0]), [real([2, 4])]),
    one((x) => tf.slice(x!, [0, 0], [2, 4]), [real([2, 4])]),
  ],
  stridedSlice: [one((x) => tf.stridedSlice(x!, [0, 1], [2, 5], [1, 2]), [real([2, 5])])],
  concat: [0, 1, -1].map((axis) =>
    one((a, b) => tf.concat([a!, b!], axis), [real(axis === 0 ? [1, 3] : [2, 2]), real([2, 3])], g),
  ),
  concatEmpty: [one((a, b) => tf.concat([a!, b!], 0), [real([0, 3]), real([2, 3])])],
  stack: [0, 1, 2].map((axis) => one((a, b) => tf.stack([a!, b!], axis), [real([2, 3]), real([2, 3])], g)),
  unstack: [0, 1].map((axis) => one((x) => tf.unstack(x!, axis), [real([2, 3])])),
  split: [
    one((x) => tf.split(x!, 2, 1), [real([3, 4])]),
    one((x) => tf.concat(tf.split(x!, [1, 3], 1).reverse(), 1), [real([3, 4])], g),
  ],
  tile: [one((x) => tf.tile(x!, [2, 3]), [real([2, 3])], g), one((x) => tf.tile(x!, [1, 1]), [real([2, 3])], g)],
  broadcastTo: [one((x) => tf.broadcastTo(x!, [4, 2, 3]), [real([2, 1])], g)],
  pad: [
    one(
      (x) =>
        tf.pad(
          x!,
          [
            [1, 2],
            [0, 1],
          ],
          3,
        ),
      [real([2, 3])],
      g,
    ),
    one((x) => tf.pad(x!, [[0, 0]]), [real([2])], g),
  ],
  mirrorPad: [
    one(
      (x) =>
        tf.mirrorPad(
          x!,
          [
            [1, 1],
            [0, 2],
          ],
          'reflect',
        ),
      [real([2, 3])],
    ),
  ],
  reverse: [
    one((x) => tf.reverse(x!, [0]), [real([3, 2])], g),
    one((x) => tf.reverse(x!), [real([3, 2])], g),
    one((x) => tf.reverse(x!, 1), [real([3, 2])], g),
  ],
  gather: [
    one((x, i) => tf.gather(x!, i as never), [real([5, 3]), whole([2, 4], 5)]),
    one((x, i) => tf.gather(x!, i as never, 1), [real([2, 5, 3]), whole([4], 5)]),
    one((x, i) => tf.gather(x!, i as never, 1, 1), [real([2, 5, 3]), whole([2, 4], 5)]),
    one((x, i) => tf.gather(x!, i as never, 2, 1), [real([2, 3, 5]), whole([2, 4], 5)]),
    one((x, i) => tf.gather(x!, i as never), [real([5, 3]), whole([0], 5)]),
    one((x) => tf.gather(x!, tf.tensor1d([3, 0, 3], 'int32')), [real([5, 3])], g),
    one((x) => tf.gather(x!, tf.tensor1d([3, 0, 3], 'int32'), 1), [real([2, 5])], g),
  ],
  gatherND: [
    one((x, i) => tf.gatherND(x!, i!), [real([3, 4]), whole([5, 1], 3)]),
    one((x, i) => tf.gatherND(x!, i!), [real([3, 3, 2]), whole([5, 2], 3)]),
  ],
  scatterND: [
    one((i, x) => tf.scatterND(i!, x!, [6, 3]), [whole([4, 1], 4), real([4, 3])]),
    one((i, x) => tf.scatterND(i!, x!, [6]), [whole([4, 1], 3), whole([4], 9)]),
  ],
  tensorScatterUpdate: [
    // TF.js' CPU backend writes into its argument.
    one((t, u) => tf.tensorScatterUpdate(tf.mul(t!, 1), [[2], [0]], u!), [real([4, 3]), real([2, 3])]),
    one(
      (t, u) => tf.tensorScatterUpdate(tf.mul(t!, 1), tf.tensor2d([[1, 2]], [1, 2], 'int32'), u!),
      [real([3, 3, 2]), real([1, 2])],
    ),
  ],
  unsortedSegmentSum: [
    one((x, i) => tf.unsortedSegmentSum(x!, i as never, 4), [real([5, 3]), whole([5], 4)]),
    one((x) => tf.unsortedSegmentSum(x!, tf.tensor1d([3, 0, 3], 'int32'), 5), [real([3, 2])]),
  ],
  oneHot: [
    one((i) => tf.oneHot(i!, 4), [whole([2, 3], 5, -1)]),
    one((i) => tf.oneHot(i!, 3, 2, -1, 'float32'), [whole([4], 3)]),
  ],
  topk: [one((x) => Object.values(tf.topk(x!, 2)) as Tensor[], [real([3, 5])])],
  range: [
    one((x) => tf.add(x!, tf.range(0, 5, 1)), [real([5])]),
    one((x) => tf.add(x!, tf.range(5, 0, -2, 'int32')), [whole([3], 4)]),
  ],
  linspace: [one((x) => tf.add(x!, tf.linspace(0, 1, 5)), [real([5])])],
  fill: [
    one((x) => tf.mul(x!, tf.fill([2, 3], 0.5)), [real([2, 3])], g),
    one((x) => tf.add(x!, tf.fill([70, 2], 2)), [real([2])], g),
  ],
  convolutions: [
    one((x, w) => tf.conv1d(x as never, w as never, 1, 'same'), [real([2, 5, 3]), real([3, 3, 4])], g),
    one((x, w) => tf.conv2d(x as never, w as never, 2, 'same'), [real([2, 5, 4, 3]), real([3, 2, 3, 4])], g),
    one((x, w) => tf.conv3d(x as never, w as never, 1, 'same'), [real([2, 3, 4, 3, 2]), real([2, 2, 2, 2, 3])], g),
    one((x, w) => tf.depthwiseConv2d(x as never, w as never, 1, 'same'), [real([2, 5, 4, 3]), real([3, 2, 3, 2])], g),
    one(
      (x, w, bias) => tf.fused.conv2d({ x: x as never, filter: w as never, bias: bias!, strides: 1, pad: 'same' }),
      [real([2, 5, 4, 3]), real([3, 2, 3, 4]), real([4])],
    ),
    one(
      (x, w, bias) =>
        tf.fused.depthwiseConv2d({ x: x as never, filter: w as never, bias: bias!, strides: 1, pad: 'same' }),
      [real([2, 5, 4, 3]), real([3, 2, 3, 2]), real([6])],
    ),
  ],
  pools: [
    one((x) => tf.maxPool(x as never, 2, 2, 'same'), [real([2, 5, 4, 3])], g),
    one((x) => tf.avgPool(x as never, 2, 2, 'valid'), [real([2, 5, 4, 3])], g),
    one((x) => tf.maxPool3d(x as never, 2, 2, 'same'), [real([2, 5, 4, 3, 2])], g),
    one((x) => tf.avgPool3d(x as never, 2, 2, 'valid'), [real([2, 5, 4, 3, 2])], g),
  ],
  images: [
    one((x) => tf.image.resizeBilinear(x as never, [7, 3]), [real([2, 4, 4, 3])], g),
    one((x) => tf.image.resizeNearestNeighbor(x as never, [7, 3]), [real([1, 5, 4, 3])], g),
    one((x) => tf.spaceToBatchND(x!, [2, 2], [[1, 0], [0, 1]]), [real([2, 5, 3, 3])], g), // prettier-ignore
    one((x) => tf.batchToSpaceND(x!, [2, 2], [[1, 0], [0, 1]]), [real([8, 3, 2, 3])], g), // prettier-ignore
    one((x) => tf.localResponseNormalization(x as never, 2), [real([2, 2, 3, 7])], g),
    one(
      (x, mean, offset, scale) =>
        tf.batchNorm(x as never, mean as never, tf.exp(mean!), offset as never, scale as never),
      [real([2, 2, 3, 4]), real([4]), real([4]), real([4])],
      g,
    ),
  ],
}

/** Value, and the gradient of the sum of its squares with respect to each float input. */
const outputsOf =
  ({ op, gradient = false }: Case) =>
  (...x: Tensor[]): Record<string, Tensor> => {
    const value = [op(...x)].flat()
    const named = Object.fromEntries(value.map((tensor, i) => [`value ${i}`, tensor]))
    if (!gradient) return named
    const grads = tf.grads((...y: Tensor[]) => tf.sum(tf.square([op(...y)].flat()[0]!)))(x)
    return { ...named, ...Object.fromEntries(grads.map((tensor, i) => [`gradient ${i}`, tensor])) }
  }

function difference(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let largest = 0
  for (let i = 0; i < wanted.length; i++) {
    if (Object.is(found[i], wanted[i])) continue
    const d = Math.abs(found[i]! - wanted[i]!) / Math.max(1, Math.abs(wanted[i]!))
    largest = Math.max(largest, Number.isNaN(d) ? Infinity : d)
  }
  return largest
}

const called = new Set<string>()

describe('kernels match the TF.js JavaScript backend:', () => {
  beforeAll(() => {
    tf.enableProdMode()
    const engine = tf.engine()
    const runKernel = engine.runKernel.bind(engine)
    engine.runKernel = (name, ...rest) => {
      called.add(name)
      return runKernel(name, ...rest)
    }
    return tf.setBackend('cpu')
  })

  it.each(Object.entries(CASES))('%s', async (_name, cases) => {
    for (const each of cases) {
      const inputs = each.inputs.map((make) => make())
      const run = outputsOf(each)
      const wanted = run(...inputs)
      const compiled = jit(run)
      const found = compiled(...inputs) as Record<string, Tensor>
      const shapes = inputs.map(({ shape }) => `[${shape.join()}]`).join(' ')
      expect([shapes, Object.keys(found).sort()]).toEqual([shapes, Object.keys(wanted).sort()])
      for (const [name, tensor] of Object.entries(wanted)) {
        const twin = found[name]!
        expect([shapes, name, twin.shape, twin.dtype]).toEqual([shapes, name, tensor.shape, tensor.dtype])
        const d = difference(await twin.data(), await tensor.data())
        expect([shapes, name, d < (each.tolerance ?? 1e-4) ? 'close' : d]).toEqual([shapes, name, 'close'])
      }
      compiled.dispose()
    }
  })

  it('all kernels are covered', () => {
    expect(kernelNames.filter((name) => !called.has(name))).toEqual([])
  })
})
