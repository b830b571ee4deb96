import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { DROPOUT_MASK, type MaskAttributes, dropout, maskValues } from '@attune/nn'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { jit, registerHostKernel } from './index.js'

beforeAll(() => {
  tf.enableProdMode()
  return tf.setBackend('cpu')
})

const DRAWING: Record<string, [(x: Tensor) => Tensor, name: RegExp]> = {
  dropout: [(x) => tf.dropout(x, 0.5), /^dropout /],
  randomUniform: [(x) => tf.add(x, tf.randomUniform([3])), /^randomUniform /],
  randomNormal: [(x) => tf.add(x, tf.randomNormal([3])), /^randomNormal /],
  randomStandardNormal: [(x) => tf.add(x, tf.randomStandardNormal([3])), /^randomStandardNormal /],
  truncatedNormal: [(x) => tf.add(x, tf.truncatedNormal([3])), /^truncatedNormal /],
  randomGamma: [(x) => tf.add(x, tf.randomGamma([3], 1)), /^randomGamma /],
  multinomial: [(x) => tf.multinomial(x as tf.Tensor1D, 2), /^multinomial /],
  rand: [(x) => tf.add(x, tf.rand([3], Math.random)), /^rand /],
  'Math.random()': [(x) => tf.mul(x, Math.random()), /^the function /],
  'the gradient of dropout': [(x) => tf.grad((y: Tensor) => tf.sum(tf.dropout(y, 0.5)))(x), /^dropout /],
}

describe('a function that samples random numbers while it is compiled', () => {
  it.each(Object.entries(DRAWING))('is rejected: %s', (_name, [op, problem]) => {
    const { random } = Math
    expect(() => jit(op)(tf.ones([3]))).toThrow(
      expect.objectContaining({ code: 'FROZEN_RANDOMNESS', problem: expect.stringMatching(problem) }),
    )
    expect(Math.random).toBe(random)
    expect(tf.getBackend()).toBe('cpu')
  })

  it('is accepted with a seed, which makes its values constant', () => {
    const op = (x: Tensor): Tensor =>
      tf.add(tf.dropout(x, 0.5, undefined, 7), tf.randomNormal([20], 0, 1, 'float32', 3))
    const x = tf.ones([20])
    const [found, wanted] = [jit(op)(x).dataSync(), op(x).dataSync()]
    found.forEach((n, i) => expect(n).toBeCloseTo(wanted[i]!, 5))
  })

  it('does not leak tensors', () => {
    const f = jit((x: Tensor) => tf.dropout(tf.add(x, 1), 0.5))
    const x = tf.ones([3])
    const before = tf.memory().numTensors
    expect(() => f(x)).toThrow()
    expect(tf.memory().numTensors).toBe(before)
  })
})

it('dropout of @attune/nn drops other entries for another seed, and the same for the same seed', () => {
  registerHostKernel({
    kernelName: DROPOUT_MASK,
    compute: (attributes, into, seed) => void maskValues(seed!, attributes as unknown as MaskAttributes, into),
  })
  const f = jit((x: Tensor, seed: Tensor) => dropout(x, 0.5, { training: true, key: { seed, stream: 0 } }))
  const drawn = [1, 2, 1].map((n) => [...f(tf.ones([64]), tf.tensor1d([n, 0], 'int32')).dataSync()].join())
  expect(drawn[0]).not.toBe(drawn[1])
  expect(drawn[2]).toBe(drawn[0])
})
