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

/** Type, shape and numbers of a tensor. */
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

describe('where nothing or little is given, a kernel computes what TF.js does in plain JavaScript', () => {
  const CASES: Record<string, [Op, ...Tensor[]]> = {
    'the largest of no rows': [(x) => tf.topk(x!, 2).indices, tf.zeros([0, 5])],
    'none of the largest': [(x) => tf.topk(x!, 0).values, tf.zeros([2, 0])],
    'numbers around nothing': [(x) => tf.pad(x!, [[0, 0], [1, 1]], 7), tf.zeros([3, 0])], // prettier-ignore
    'a pad that leaves nothing there': [(x) => tf.pad(x!, [[0, 0], [1, 1]]), tf.zeros([0, 3])], // prettier-ignore
    'running products of nothing': [(x) => tf.cumprod(x!, 1), tf.zeros([2, 0])],
    'a mirror of one number': [(x) => tf.mirrorPad(x!, [[1, 1]], 'symmetric'), tf.tensor1d([5])],
    'a sum of products of no terms': [(x, y) => tf.einsum('ij,jk->ik', x!, y!), tf.zeros([2, 0]), tf.zeros([0, 3])],
    'the place of the largest of nothing': [(x) => tf.argMax(x!, 1), tf.zeros([2, 0])],
    'whether any of nothing holds': [(x) => tf.any(x!, 1), tf.zeros([2, 0], 'bool')],
    'a sum of booleans': [(x) => tf.sum(x!), truth(1, 0, 1)],
    'the largest of booleans': [(x) => tf.topk(x!, 2).values, truth(0, 1, 0)],
    'a choice of booleans': [(c, x, y) => tf.where(c!, x!, y!), truth(1, 0, 1), truth(1, 1, 0), truth(0, 0, 1)],
    'a choice of a boolean or a number': [(c, x, y) => tf.where(c!, x!, y!), truth(1, 0), truth(1, 1), whole(3, 4)],
    'a leak of whole numbers': [(x) => tf.leakyRelu(x!, 0.5), whole(-4, 6)],
    'slopes of whole numbers': [(x, y) => tf.prelu(x!, y!), whole(-4, 6), tf.scalar(0.5)],
    'quotients of whole numbers by 0 and −1': [
      (x, y) => tf.floorDiv(x!, y!),
      whole(5, -5, 0, 7, -(2 ** 31)),
      whole(0, 0, 0, -1, -1),
    ],
    'remainders of whole numbers by 0': [(x, y) => tf.mod(x!, y!), whole(5, -5, 0), whole(0, 0, 0)],
    'powers of whole numbers': [(x, y) => tf.pow(x!, y!), whole(0, 2, -1, 1, 3, 0), whole(-1, -1, -1, -2, 4, 0)],
    'quotients of real numbers by 0': [(x, y) => tf.floorDiv(x!, y!), tf.tensor1d([5, -5, 0]), tf.zeros([3])],
    'segments that there are not': [(x) => tf.unsortedSegmentSum(x!, tf.tensor1d([-1, 0, 7, 1], 'int32'), 2), table],
    'segments that there may not be': [
      (x, ids) => tf.unsortedSegmentSum(x!, ids as tf.Tensor1D, 2),
      table,
      whole(-1, 0, 7, 1),
    ],
  }

  it.each(Object.entries(CASES))('%s', (_name, [op, ...inputs]) => {
    expect(compiled(op, ...inputs)).toEqual(read(op(...inputs)))
  })

  it.each(['leakyrelu', 'prelu', 'relu6'] as const)('a product with %s', (activation) => {
    const op: Op = (a, b, slopes) =>
      tf.fused.matMul({
        ...{ a: a as tf.Tensor2D, b: b as tf.Tensor2D, activation, leakyreluAlpha: 0.3 },
        ...(activation === 'prelu' ? { preluActivationWeights: slopes! } : {}),
      })
    const inputs = [tf.tensor2d([[1, -2]]), tf.tensor2d([[3, -3], [1, 1]]), tf.tensor2d([[2, 0.5]])] // prettier-ignore
    expect(compiled(op, ...inputs)).toEqual(read(op(...inputs)))
  })

  it.each([[[4]], [[4, -1]]])('no shape %p for six numbers', (shape) => {
    const op: Op = (x) => tf.reshape(x!, shape)
    expect(() => op(tf.ones([6]))).toThrow()
    expect(() => compiled(op, tf.ones([6]))).toThrow(/ shape /)
  })

  it('a product with an activation that there is not', () => {
    const op: Op = (a, b) =>
      tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, activation: 'softsign' as 'relu' })
    expect(() => compiled(op, tf.ones([2, 2]), tf.ones([2, 2]))).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_KERNEL', problem: expect.stringContaining('softsign') }),
    )
  })

  it.each(['log1p', 'expm1'] as const)('%s to the last digits, near 0 and far from it', (name) => {
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

  it('angles with their signs, of zeros and infinities too', () => {
    const edges = [0, -0, 1, -1, Infinity, -Infinity, NaN]
    const [y, x] = [tf.tensor1d(edges.flatMap((n) => edges.map(() => n))), tf.tensor1d(edges.flatMap(() => edges))]
    const [, , found] = compiled((a, b) => tf.atan2(a!, b!), y, x)
    const wanted = edges.flatMap((a) => edges.map((c) => Math.atan2(a, c)))
    for (const [i, angle] of wanted.entries())
      if (Number.isNaN(angle)) expect(found[i]).toBeNaN()
      else expect(found[i]).toBeCloseTo(angle, 6)
  })
})

describe('where TF.js in plain JavaScript gives what it finds in memory, or no boolean', () => {
  const none = tf.zeros([2, 0])
  const NEUTRAL: Record<string, [Op, Tensor, number]> = {
    'the mean of nothing is no number': [(x) => tf.mean(x!, 1), none, NaN],
    'the maximum of nothing is the least number': [(x) => tf.max(x!, 1), none, -Infinity],
    'the maximum of no whole numbers is the least one': [(x) => tf.max(x!, 1), none.toInt(), -(2 ** 31)],
    'the minimum of nothing is the greatest number': [(x) => tf.min(x!, 1), none, Infinity],
    'the minimum of no whole numbers is the greatest one': [(x) => tf.min(x!, 1), none.toInt(), 2 ** 31 - 1],
    'all of nothing hold': [(x) => tf.all(x!, 1), none.toBool(), 1],
  }
  it.each(Object.entries(NEUTRAL))('%s', (_name, [op, x, n]) => {
    expect(compiled(op, x)[2]).toEqual([n, n])
  })

  it('sums and differences of booleans are booleans', () => {
    const [x, y] = [truth(0, 0, 1, 1), truth(0, 1, 0, 1)]
    expect(compiled((a, b) => tf.add(a!, b!), x, y)).toEqual(['bool', [4], [0, 1, 1, 1]])
    expect(compiled((a, b) => tf.sub(a!, b!), x, y)).toEqual(['bool', [4], [0, 1, 1, 0]])
    expect(compiled((a, b) => tf.div(a!, b!), x, y)).toEqual(['bool', [4], [0, 0, 0, 1]])
    expect(compiled((a, b) => tf.addN([a!, b!, b!]), x, y)).toEqual(['bool', [4], [0, 1, 1, 1]])
    expect(compiled((a, b) => tf.squaredDifference(a!, b!), x, y)).toEqual(['bool', [4], [0, 1, 1, 0]])
  })

  it('the running sum of one number is that', () => {
    expect(compiled((x) => tf.cumsum(x!), tf.scalar(3))).toEqual(['float32', [], [3]])
  })

  it('sums of whole numbers by segments are whole numbers', () => {
    const sums: Op = (x, ids) => tf.unsortedSegmentSum(x!, ids as tf.Tensor1D, 2)
    expect(compiled(sums, whole(1, 2, 4), whole(1, 0, 1))).toEqual(['int32', [2], [2, 5]])
  })
})
