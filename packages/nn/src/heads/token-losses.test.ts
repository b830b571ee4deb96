import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import {
  type Tensor,
  argMax,
  logSoftmax,
  matMul,
  mul,
  oneHot,
  randomNormal,
  reshape,
  sum,
  tensor,
  valueAndGrads,
} from '@tensorflow/tfjs-core'
import { tokenLosses } from './token-losses.js'

const [ROWS, WIDTH, CLASSES] = [66, 2, 300]

const maxAbs = (x: Tensor): number => x.abs().max().dataSync()[0]!

it.each([1, 20 * CLASSES, 50 * CLASSES, ROWS * CLASSES])(
  'returns the losses, argmax tokens and gradients of a single batch for chunks of at most %p logits',
  (most) => {
    const logitsBy = (w: Tensor) => (x: Tensor) => matMul(x, w, false, true)
    const [states, words] = [
      randomNormal([6, 11, WIDTH], 0, 1, 'float32', 1),
      randomNormal([CLASSES, WIDTH], 0, 1, 'float32', 2),
    ]
    const targets = tensor(
      Int32Array.from({ length: ROWS }, (_, i) => (i * 7919) % CLASSES),
      [6, 11],
      'int32',
    )
    const weights = tensor(
      Float32Array.from({ length: ROWS }, (_, i) => (i % 5) / 4),
      [6, 11],
    )

    const given = tokenLosses(logitsBy(words), { states, targets, vocabulary: CLASSES }, most)
    const logits = matMul(reshape(states, [ROWS, WIDTH]), words, false, true)
    expect([...given['best'].dataSync()]).toEqual([...argMax(logits, -1).dataSync()])
    logits.dispose()

    const found = valueAndGrads((s: Tensor, w: Tensor) =>
      sum(mul(tokenLosses(logitsBy(w), { states: s, targets, vocabulary: CLASSES }, most).losses, weights)),
    )([states, words])
    const wanted = valueAndGrads((s: Tensor, w: Tensor) => {
      const own = oneHot(reshape(targets, [ROWS]), CLASSES)
      const all = mul(logSoftmax(matMul(reshape(s, [ROWS, WIDTH]), w, false, true)), own)
      return sum(mul(all, reshape(weights, [ROWS, 1]))).neg()
    })([states, words])
    expect(found.value.dataSync()[0]! / wanted.value.dataSync()[0]!).toBeCloseTo(1, 5)
    for (const [i, gradient] of found.grads.entries()) {
      expect(maxAbs(gradient.sub(wanted.grads[i]!)) / maxAbs(wanted.grads[i]!)).toBeLessThan(1e-4)
    }
  },
)

it('returns the logits too if the mode keeps them, with the same losses', () => {
  const [states, words] = [
    randomNormal([2, 3, WIDTH], 0, 1, 'float32', 1),
    randomNormal([7, WIDTH], 0, 1, 'float32', 2),
  ]
  const targets = tensor([1, 2, 3, 4, 5, 6], [2, 3], 'int32')
  const logitsOf = (x: Tensor) =>
    reshape(matMul(reshape(x, [-1, WIDTH]), words, false, true), [...x.shape.slice(0, -1), 7])
  const given = { states, targets, vocabulary: 7 }
  const kept = tokenLosses(logitsOf, { ...given, mode: { training: false, keep: ['logits'] } })
  const plain = tokenLosses(logitsOf, { ...given, mode: { training: false, keep: ['hiddenStates'] } })
  expect(Object.keys(plain).sort()).toEqual(['best', 'losses'])
  expect(kept['logits']!.shape).toEqual([6, 7])
  expect(maxAbs(kept['logits']!.sub(reshape(logitsOf(states), [6, 7])))).toBe(0)
  expect(maxAbs(kept.losses.sub(plain.losses))).toBeLessThan(1e-6)
  expect([...kept.best.dataSync()]).toEqual([...plain.best.dataSync()])
})
