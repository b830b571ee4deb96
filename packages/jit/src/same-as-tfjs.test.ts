import '@tensorflow/tfjs'
import { beforeEach, describe, expect, it } from '@jest/globals'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { jit } from './index.js'

beforeEach(() => {
  tf.enableProdMode()
  return tf.setBackend('cpu')
})

type Op = (...x: Tensor[]) => Tensor

const whole = (...numbers: number[]): Tensor => tf.tensor1d(numbers, 'int32')
const found = (op: Op, ...inputs: Tensor[]): unknown[] => {
  const f = jit(op, { threads: 1 })
  const out = f(...inputs)
  const values = [out.dtype, ...out.dataSync()]
  f.dispose()
  return values
}

describe('compiled operations return the values that TF.js documents in its specs:', () => {
  const squareWithGradient = tf.customGrad((z) => ({
    value: tf.square(z as Tensor),
    gradFunc: (dy: Tensor) => tf.mul(dy, z as Tensor),
  }))
  const matrix = (): Tensor => tf.tensor2d([[1, 2, 3], [4, 5, 6]]) // prettier-ignore
  const image = (): tf.Tensor4D => tf.reshape(tf.range(1, 13), [1, 2, 2, 3])
  const CASES: Record<string, () => [expected: unknown[], op: Op, ...Tensor[]]> = {
    'range that counts down': () => [['float32', 4, 3, 2, 1, 0, -1], (x) => tf.add(tf.range(4, -2), x!), tf.scalar(0)],
    'range of a negative step': () => [['float32', 0, -2, -4], (x) => tf.add(tf.range(0, -5, -2), x!), tf.scalar(0)],
    'argument that a cast shares with integers': () => [['float32', 2, 3], (x) => tf.add(x!, 1), tf.cast(whole(1, 2), 'float32')], // prettier-ignore
    'argument that a cast shares with booleans': () => [['int32', 2, 1], (x) => tf.add(x!, tf.scalar(1, 'int32')), tf.cast(tf.tensor1d([1, 0], 'bool'), 'int32')], // prettier-ignore
    'constant that a cast shares': () => {
      const held = tf.cast(whole(...Array.from({ length: 5000 }, (_, i) => i)), 'float32')
      return [['float32', 12497502], (x) => tf.add(tf.sum(tf.div(held, 1)), x!), tf.scalar(2)]
    },
    'gradient of logSigmoid of a clone': () => [
      ['float32', expect.closeTo(0.1192, 4), expect.closeTo(0.7311, 4)],
      (x) => tf.grad((y) => tf.logSigmoid(tf.clone(y)))(x!),
      tf.tensor1d([2, -1]),
    ],
    'gradient that closes over a clone': () => [['float32', 2, -1], (x) => tf.grad((y) => squareWithGradient(tf.clone(y)))(x!), tf.tensor1d([2, -1])], // prettier-ignore
    'gradient that closes over a reshape': () => [['float32', 2, -1], (x) => tf.grad((y) => squareWithGradient(tf.reshape(y, [2, 1])))(x!), tf.tensor1d([2, -1])], // prettier-ignore
    'gradient that closes over a cast': () => [['float32', 2, -1], (x) => tf.grad((y) => squareWithGradient(tf.cast(y, 'float32')))(x!), tf.tensor1d([2, -1])], // prettier-ignore
    'scatterND with a list of indices': () => [
      ['float32', 100, 0, 102, 0, 101, 0, 0, 0],
      (i, u) => tf.scatterND(i!, u!, [8]),
      whole(0, 4, 2),
      tf.tensor1d([100, 101, 102]),
    ],
    'gather with negative batchDims': () => [['float32', 2, 2, 4, 6], (x, i) => tf.gather(x!, i as tf.Tensor2D, 1, -1), matrix(), tf.tensor2d([[1, 1], [0, 2]], [2, 2], 'int32')], // prettier-ignore
    'average pooling of single values with padding': () => [['float32', ...Array.from({ length: 12 }, (_, i) => i + 1)], (x) => tf.avgPool(x as tf.Tensor4D, [1, 1], 2, 1, 'floor'), image()], // prettier-ignore
    'average pooling with padding as wide as the windows': () => [
      ['float32', NaN, NaN, NaN, NaN, 2.5, NaN, NaN, NaN, NaN],
      (x) => tf.avgPool(x as tf.Tensor4D, 2, 2, 2),
      tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]),
    ],
    'average pooling in three dimensions with wide padding': () => [
      ['float32', ...Array<number>(13).fill(0), 5, ...Array<number>(13).fill(0)],
      (x) => tf.avgPool3d(x as tf.Tensor5D, 1, 1, 1),
      tf.tensor5d([5], [1, 1, 1, 1, 1]),
    ],
    'slice to the end': () => [['float32', 2, 3], (x) => tf.slice(x!, [1], [-1]), tf.tensor1d([1, 2, 3])],
    'sign of NaN': () => [['float32', 1, 0, 0, -1], (x) => tf.sign(x!), tf.tensor1d([1.5, 0, NaN, -1.4])],
    'step of NaN': () => [['float32', 1, 0, 0, 1, NaN], (x) => tf.step(x!), tf.tensor1d([1, 0, -1, 2, NaN])],
    'rounding of integers': () => [['int32', -12, 3], (x) => tf.round(x!), whole(-12, 3)],
    'argMax beside NaN': () => [['int32', 2], (x) => tf.argMax(x!), tf.tensor1d([0, 3, 5, NaN, 3])],
    'argMax of NaN first': () => [['int32', 0], (x) => tf.argMax(x!), tf.tensor1d([NaN, 3, 5])],
    'argMin beside NaN': () => [['int32', 3], (x) => tf.argMin(x!), tf.tensor1d([5, 0, NaN, -1, 3])],
    'argMax of −∞': () => [['int32', 1], (x) => tf.argMax(x!), tf.tensor1d([-Infinity, -1e38, NaN, -Infinity])],
    'integers of NaN and infinities': () => [['int32', 0, 0, 0, 2, -2], (x) => tf.cast(x!, 'int32'), tf.tensor1d([NaN, Infinity, -Infinity, 2.7, -2.7])], // prettier-ignore
  }

  it.each(Object.entries(CASES))('%s', (_name, make) => {
    const [expected, op, ...inputs] = make()
    expect(found(op, ...inputs)).toEqual(expected)
  })
})

describe('compiled functions refuse with a code:', () => {
  const matrix = (): tf.Tensor2D => tf.tensor2d([[1, 2, 3], [4, 5, 6]]) // prettier-ignore
  const CASES: Record<string, [problem: RegExp, op: Op, ...(() => Tensor)[]]> = {
    'reversal of an unknown axis': [/axis/, (x) => tf.reverse(x!, [3]), matrix],
    'pieces that do not add up': [/sum of sizes/, (x) => tf.split(x!, [1, 1], 1)[0]!, matrix],
    'a dimension before the first': [/Axis must be in the interval \[-3, 2\]/, (x) => tf.expandDims(x!, -4), matrix],
    'concatenation of other sizes': [/does not match/, (x) => tf.concat([x!, tf.zeros([0, 2])], 0), matrix],
    'a slice beyond the end': [/would overflow/, (x) => tf.slice(x!, [1, 1], [1, 3]), matrix],
    'a stack of other shapes': [/matching shapes/, (x) => tf.stack([x!, tf.zeros([3, 2])]), matrix],
    'a sum of other shapes': [/could not be broadcast/, (x) => tf.add(x!, tf.zeros([2])), matrix],
    'batchDims beyond the indices': [
      /Expect batchDims in the range/,
      (x) => tf.gather(x!, whole(0) as tf.Tensor1D, 1, 2),
      matrix,
    ],
    'an equation that does not fit': [/dimension 3 at axis 0/, (x, y) => tf.einsum('ij,jk->ik', x!, y!), matrix, () => tf.zeros([2, 2])], // prettier-ignore
    'a known index out of range': [/index value 9 is not in \[0, 1\]/, (x) => tf.gather(x!, [9]), matrix],
    'an index out of range': [/index value 9 is not in \[0, 1\]/, (x, i) => tf.gather(x!, i as tf.Tensor1D), matrix, () => whole(0, 9)], // prettier-ignore
    'a negative index': [/index value -1 is not in \[0, 1\]/, (x, i) => tf.gather(x!, i as tf.Tensor1D), matrix, () => whole(0, -1)], // prettier-ignore
    'a negative index in a batch': [/index/, (x, i) => tf.gather(x!, i as tf.Tensor2D, 1, 1), matrix, () => tf.reshape(whole(0, -1), [2, 1])], // prettier-ignore
    'a multi-index out of range': [
      /index/,
      (x, i) => tf.gatherND(x!, i!),
      matrix,
      () => tf.reshape(whole(0, 3), [1, 2]),
    ],
    'a negative multi-index': [/index/, (x, i) => tf.gatherND(x!, i!), matrix, () => tf.reshape(whole(0, -1), [1, 2])],
    'an update out of range': [/index/, (i) => tf.scatterND(i!, tf.ones([1]), [3]), () => tf.reshape(whole(-1), [1, 1])], // prettier-ignore
    'an update of a tensor out of range': [/index/, (x, i) => tf.tensorScatterUpdate(x!, i!, tf.ones([1])), matrix, () => tf.reshape(whole(0, -1), [1, 2])], // prettier-ignore
  }

  it.each(Object.entries(CASES))('%s', (_name, [problem, op, ...inputs]) => {
    expect(() => found(op, ...inputs.map((make) => make()))).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', problem: expect.stringMatching(problem) }),
    )
  })

  it('strings', () => {
    expect(() => found(() => tf.fill([2], 'a'))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_TYPE' }))
  })
})

it('computes after resets of the engine of TF.js, also functions compiled before', async () => {
  const before = jit((x: Tensor) => tf.add(x, 1))
  expect([...before(tf.tensor1d([1, 2])).dataSync()]).toEqual([2, 3])
  for (const reset of [() => tf.engine().reset(), () => tf.removeBackend('attune-jit')]) {
    reset()
    await tf.setBackend('cpu')
    const after = jit((x: Tensor) => tf.mul(x, tf.grad((y) => tf.square(y))(x)))
    expect([...before(tf.tensor1d([1, 2])).dataSync()]).toEqual([2, 3])
    expect([...before(tf.tensor1d([1, 2, 3])).dataSync()]).toEqual([2, 3, 4])
    expect([...after(tf.tensor1d([1, 2])).dataSync()]).toEqual([2, 8])
  }
})
