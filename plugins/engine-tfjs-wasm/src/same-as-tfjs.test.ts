import { beforeAll, describe, expect, it } from '@jest/globals'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { tfjsWasm } from './tfjs-wasm.js'

beforeAll(() => tfjsWasm({}).start())

const whole = (shape: number[], ...numbers: number[]): Tensor => tf.tensor(numbers, shape, 'int32')
const column = (x: Tensor): tf.Tensor4D => tf.reshape(x, [1, -1, 1, 1])
const real = (...numbers: number[]): Tensor => tf.tensor1d(numbers)

/** Results on a backend: types and values, or the first words of the error. */
function on(backend: string, op: () => Tensor): unknown {
  void tf.setBackend(backend)
  try {
    return tf.tidy(() => {
      const result = op()
      return [result.dtype, ...result.dataSync()]
    })
  } catch (error) {
    return (error as Error).message.split('\n')[0]
  }
}

describe('WebAssembly returns or refuses the same as the JavaScript backend:', () => {
  const CASES: Record<string, () => Tensor> = {
    'batched gather': () =>
      tf.gather(tf.reshape(real(1, 2, 3, 4), [4, 1]), whole([4, 1], 0, 0, 0, 0) as tf.Tensor2D, 1, 1),
    'batched gather of several columns': () => tf.gather(tf.reshape(tf.range(0, 12), [2, 3, 2]), whole([2, 2], 2, 0, 1, 1) as tf.Tensor2D, 1, 1), // prettier-ignore
    'gather with negative batchDims': () => tf.gather(tf.reshape(tf.range(0, 6), [2, 3]), whole([2, 2], 2, 0, 1, 1) as tf.Tensor2D, 1, -1), // prettier-ignore
    'gather of an index out of range': () => tf.gather(real(1, 2, 3), whole([1], 7) as tf.Tensor1D),
    'gather of a negative index': () => tf.gather(real(1, 2, 3), whole([1], -1) as tf.Tensor1D),
    'gatherND of an index out of range': () => tf.gatherND(real(1, 2, 3), whole([1, 1], 7)),
    'scatterND of an index out of range': () => tf.scatterND(whole([1, 1], 7), real(1), [3]),
    'tensorScatterUpdate of an index out of range': () => tf.tensorScatterUpdate(real(1, 2), whole([1, 1], 7), real(1)),
    'sparseToDense of an index out of range': () => tf.sparseToDense(whole([1], 7), real(1), [3], 0),
    'scatterND with a list of indices': () => tf.scatterND(whole([3], 0, 4, 2), real(1, 2, 3), [8]),
    'slice beyond the end': () => tf.slice(real(1, 2, 3), [2], [5]),
    'product of shapes that do not fit': () => tf.matMul(tf.ones([2, 3]), tf.ones([2, 3])),
    'product of integers': () => tf.matMul(whole([1, 2], 3, 4), whole([2, 1], 5, 6)),
    'clipping of NaN': () => tf.clipByValue(real(-2, NaN, 2), -1, 1),
    'relu6 of NaN': () => tf.relu6(real(-2, NaN, 9)),
    'maximum with NaN': () => tf.add(tf.maximum(real(1, NaN), 0), tf.maximum(0, real(NaN, 1))),
    'minimum with NaN': () => tf.add(tf.minimum(real(1, NaN), 0), tf.minimum(0, real(NaN, 1))),
    'max pooling of NaN': () => tf.maxPool(column(real(NaN, 1, 2, NaN, 3)), [3, 1], 1, 'same'),
    'average pooling of NaN': () => tf.avgPool(column(real(1, 2, NaN, 3, 4, 5)), [3, 1], 1, 'same'),
    'pooling of single values with padding': () =>
      tf.maxPool(tf.reshape(tf.range(0, 4), [1, 2, 2, 1]) as tf.Tensor4D, 1, 2, 1, 'floor'),
    'booleans of floats': () => tf.cast(real(0, 2.5, 256, NaN, -1), 'bool'),
    einsum: () => tf.einsum('ij,jk->ik', tf.ones([2, 3]), tf.ones([3, 2])),
    'integer remainder by 0': () => tf.mod(whole([2], 1, 5), tf.scalar(0, 'int32')),
    'integer division by 0': () => tf.floorDiv(whole([2], 1, 5), tf.scalar(0, 'int32')),
    'floor division of NaN': () => tf.floorDiv(real(NaN, 1, -3), 0.75),
    'selection of two types': () => tf.where(tf.tensor1d([1, 0], 'bool'), real(1.5, 2), whole([2], 5, 6)),
    'reciprocal of integers': () => tf.reciprocal(whole([3], -2, 3, 1)),
    'bincount of a matrix': () =>
      tf.bincount(tf.reshape(whole([4], 0, 1, 1, 2), [4]) as tf.Tensor1D, tf.tensor1d([]), 3),
    'convolution of channels first': () =>
      tf.conv2d(tf.ones([1, 1, 2, 2]) as tf.Tensor4D, tf.ones([1, 1, 1, 2]), 1, 'same', 'NCHW'),
    'fused product with a matrix as bias': () =>
      tf.fused.matMul({ a: tf.ones([2, 2]), b: tf.ones([2, 2]), bias: tf.ones([2, 2]), activation: 'relu' }),
  }

  it.each(Object.entries(CASES))('%s', (_name, op) => {
    expect(on('wasm', op)).toEqual(on('cpu', op))
  })
})

it('frees copies of kernels that it takes from the JavaScript backend', () => {
  const counts = (): number => (tf.findBackend('cpu') as unknown as { numDataIds(): number }).numDataIds()
  const failing = (): unknown => on('wasm', () => tf.gatherND(real(1, 2, 3), whole([1, 1], 7)))
  failing()
  const before = [counts(), tf.memory().numTensors]
  expect(failing()).toMatch(/Invalid indices/)
  expect([counts(), tf.memory().numTensors]).toEqual(before)
})

it('multiplies matrices after a reset of the engine of TF.js', async () => {
  tf.engine().reset()
  await tfjsWasm({}).start()
  expect(on('wasm', () => tf.matMul(tf.ones([1, 2]), tf.fill([2, 1], 5.5)))).toEqual(['float32', 11])
})
