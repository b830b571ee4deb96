import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { jit } from './index.js'

beforeAll(() => {
  tf.enableProdMode()
  return tf.setBackend('cpu')
})

type Op = (...x: Tensor[]) => Tensor

/** Type, shape and values of a tensor. */
const read = (tensor: Tensor): [string, number[], number[]] => [
  tensor.dtype,
  tensor.shape,
  Array.from(tensor.dataSync()),
]

function compiled(op: Op, ...inputs: Tensor[]): [string, number[], number[]] {
  const f = jit(op, { threads: 1 })
  const found = read(f(...inputs))
  f.dispose()
  return found
}

const whole = (...numbers: number[]): Tensor => tf.tensor1d(numbers, 'int32')
const truth = (...numbers: number[]): Tensor => tf.tensor1d(numbers, 'bool')
const table = tf.tensor2d([1, 2, 4, 8], [4, 1])

describe('kernels match the TF.js JavaScript backend for empty and extreme inputs:', () => {
  const CASES: Record<string, [Op, ...Tensor[]]> = {
    'topk of no rows': [(x) => tf.topk(x!, 2).indices, tf.zeros([0, 5])],
    'topk with k = 0': [(x) => tf.topk(x!, 0).values, tf.zeros([2, 0])],
    'padding of an empty dimension': [(x) => tf.pad(x!, [[0, 0], [1, 1]], 7), tf.zeros([3, 0])], // prettier-ignore
    'padding that leaves the tensor empty': [(x) => tf.pad(x!, [[0, 0], [1, 1]]), tf.zeros([0, 3])], // prettier-ignore
    'cumulative product of an empty dimension': [(x) => tf.cumprod(x!, 1), tf.zeros([2, 0])],
    'mirror padding of one value': [(x) => tf.mirrorPad(x!, [[1, 1]], 'symmetric'), tf.tensor1d([5])],
    'einsum without terms': [(x, y) => tf.einsum('ij,jk->ik', x!, y!), tf.zeros([2, 0]), tf.zeros([0, 3])],
    'argMax of an empty dimension': [(x) => tf.argMax(x!, 1), tf.zeros([2, 0])],
    'any of an empty dimension': [(x) => tf.any(x!, 1), tf.zeros([2, 0], 'bool')],
    'sum of booleans': [(x) => tf.sum(x!), truth(1, 0, 1)],
    'topk of booleans': [(x) => tf.topk(x!, 2).values, truth(0, 1, 0)],
    'where of booleans': [(c, x, y) => tf.where(c!, x!, y!), truth(1, 0, 1), truth(1, 1, 0), truth(0, 0, 1)],
    'where of a boolean and an integer': [(c, x, y) => tf.where(c!, x!, y!), truth(1, 0), truth(1, 1), whole(3, 4)],
    'leakyRelu of integers': [(x) => tf.leakyRelu(x!, 0.5), whole(-4, 6)],
    'prelu of integers': [(x, y) => tf.prelu(x!, y!), whole(-4, 6), tf.scalar(0.5)],
    'integer division by 0 and −1': [
      (x, y) => tf.floorDiv(x!, y!),
      whole(5, -5, 0, 7, -(2 ** 31)),
      whole(0, 0, 0, -1, -1),
    ],
    'integer remainder by 0': [(x, y) => tf.mod(x!, y!), whole(5, -5, 0), whole(0, 0, 0)],
    'integer powers': [(x, y) => tf.pow(x!, y!), whole(0, 2, -1, 1, 3, 0), whole(-1, -1, -1, -2, 4, 0)],
    'float floor division by 0': [(x, y) => tf.floorDiv(x!, y!), tf.tensor1d([5, -5, 0]), tf.zeros([3])],
    'constant segment ids out of range': [
      (x) => tf.unsortedSegmentSum(x!, tf.tensor1d([-1, 0, 7, 1], 'int32'), 2),
      table,
    ],
    'segment ids out of range': [
      (x, ids) => tf.unsortedSegmentSum(x!, ids as tf.Tensor1D, 2),
      table,
      whole(-1, 0, 7, 1),
    ],
  }

  it.each(Object.entries(CASES))('%s', (_name, [op, ...inputs]) => {
    expect(compiled(op, ...inputs)).toEqual(read(op(...inputs)))
  })

  it.each(['leakyrelu', 'prelu', 'relu6'] as const)('matMul fused with %s', (activation) => {
    const op: Op = (a, b, slopes) =>
      tf.fused.matMul({
        ...{ a: a as tf.Tensor2D, b: b as tf.Tensor2D, activation, leakyreluAlpha: 0.3 },
        ...(activation === 'prelu' ? { preluActivationWeights: slopes! } : {}),
      })
    const inputs = [tf.tensor2d([[1, -2]]), tf.tensor2d([[3, -3], [1, 1]]), tf.tensor2d([[2, 0.5]])] // prettier-ignore
    expect(compiled(op, ...inputs)).toEqual(read(op(...inputs)))
  })

  it.each([[[4]], [[4, -1]]])('rejection of shape %p for six values', (shape) => {
    const op: Op = (x) => tf.reshape(x!, shape)
    expect(() => op(tf.ones([6]))).toThrow()
    expect(() => compiled(op, tf.ones([6]))).toThrow(/ shape /)
  })

  it('rejection of matMul fused with an unknown activation', () => {
    const op: Op = (a, b) =>
      tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, activation: 'softsign' as 'relu' })
    expect(() => compiled(op, tf.ones([2, 2]), tf.ones([2, 2]))).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_KERNEL', problem: expect.stringContaining('softsign') }),
    )
  })

  it.each(['log1p', 'expm1'] as const)('%s to float32 precision, near 0 and far from it', (name) => {
    const magnitudes = [1e-30, 1e-8, 1e-7, 1e-6, 1e-3, 0.1, 0.5, 0.99, 1, 1.01, 3, 20, Infinity]
    const numbers = [...magnitudes, ...magnitudes.map((x) => -x), 0, -0, NaN]
    const [, , found] = compiled((x) => tf[name](x!), tf.tensor1d(numbers))
    for (const [i, x] of numbers.entries()) {
      const wanted = Math[name](Math.fround(x))
      if (Number.isFinite(wanted))
        expect([x, Math.abs(found[i]! - wanted) <= 4e-7 * Math.abs(wanted)]).toEqual([x, true])
      else expect([x, found[i]]).toEqual([x, wanted])
    }
  })

  it('atan2 with signs, including zeros and infinities', () => {
    const edges = [0, -0, 1, -1, Infinity, -Infinity, NaN]
    const [y, x] = [tf.tensor1d(edges.flatMap((n) => edges.map(() => n))), tf.tensor1d(edges.flatMap(() => edges))]
    const [, , found] = compiled((a, b) => tf.atan2(a!, b!), y, x)
    const wanted = edges.flatMap((a) => edges.map((c) => Math.atan2(a, c)))
    for (const [i, angle] of wanted.entries())
      if (Number.isNaN(angle)) expect(found[i]).toBeNaN()
      else expect(found[i]).toBeCloseTo(angle, 6)
  })
})

describe('kernels that differ from the TF.js JavaScript backend', () => {
  const none = tf.zeros([2, 0])
  const NEUTRAL: Record<string, [Op, Tensor, number]> = {
    'return NaN for the mean of an empty dimension': [(x) => tf.mean(x!, 1), none, NaN],
    'return −∞ for the maximum of an empty dimension': [(x) => tf.max(x!, 1), none, -Infinity],
    'return the int32 minimum for the maximum of an empty integer dimension': [
      (x) => tf.max(x!, 1),
      none.toInt(),
      -(2 ** 31),
    ],
    'return ∞ for the minimum of an empty dimension': [(x) => tf.min(x!, 1), none, Infinity],
    'return the int32 maximum for the minimum of an empty integer dimension': [
      (x) => tf.min(x!, 1),
      none.toInt(),
      2 ** 31 - 1,
    ],
    'return true for all of an empty dimension': [(x) => tf.all(x!, 1), none.toBool(), 1],
  }
  it.each(Object.entries(NEUTRAL))('%s', (_name, [op, x, n]) => {
    expect(compiled(op, x)[2]).toEqual([n, n])
  })

  it('return booleans for sums and differences of booleans', () => {
    const [x, y] = [truth(0, 0, 1, 1), truth(0, 1, 0, 1)]
    expect(compiled((a, b) => tf.add(a!, b!), x, y)).toEqual(['bool', [4], [0, 1, 1, 1]])
    expect(compiled((a, b) => tf.sub(a!, b!), x, y)).toEqual(['bool', [4], [0, 1, 1, 0]])
    expect(compiled((a, b) => tf.div(a!, b!), x, y)).toEqual(['bool', [4], [0, 0, 0, 1]])
    expect(compiled((a, b) => tf.addN([a!, b!, b!]), x, y)).toEqual(['bool', [4], [0, 1, 1, 1]])
    expect(compiled((a, b) => tf.squaredDifference(a!, b!), x, y)).toEqual(['bool', [4], [0, 1, 1, 0]])
  })

  it('return a scalar for the cumulative sum of a scalar', () => {
    expect(compiled((x) => tf.cumsum(x!), tf.scalar(3))).toEqual(['float32', [], [3]])
  })

  it('return integers for segment sums of integers', () => {
    const sums: Op = (x, ids) => tf.unsortedSegmentSum(x!, ids as tf.Tensor1D, 2)
    expect(compiled(sums, whole(1, 2, 4), whole(1, 0, 1))).toEqual(['int32', [2], [2, 5]])
  })
})
