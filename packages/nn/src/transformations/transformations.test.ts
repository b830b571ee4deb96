import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Optimizer, Params } from '@attune/core'
import { type Tensor, scalar, tensor } from '@tensorflow/tfjs-core'
import {
  accumulateMomentum,
  addDecayedWeights,
  biasCorrection,
  chain,
  clipByGlobalNorm,
  eagerEngine,
  filledWith,
  isBiasOrNorm,
  normal,
  scaleByAdam,
  scaleByLearningRate,
} from '../index.js'

const hyper = (learningRate: number, step = 1) => ({
  learningRate: tensor(learningRate).asScalar(),
  step: tensor(step).asScalar(),
  steps: scalar(10),
  seed: tensor([0, 1], [2], 'int32'),
  scheduled: {},
})
const numbers = (params: Params): Record<string, number[]> =>
  Object.fromEntries(Object.entries(params).map(([name, t]) => [name, Array.from((t as Tensor).dataSync())]))

beforeAll(() => eagerEngine({ backend: 'cpu', device: '', load: () => Promise.resolve() }).start())

describe('chain', () => {
  it('applies its links in order and keeps their states separate', () => {
    const params = { w: tensor([[1, 2]]) }
    const order: string[] = []
    const noting = (name: string, link: Optimizer): Optimizer => ({
      init: link.init,
      update: (...given) => (order.push(name), link.update(...given)),
    })
    const links = chain(
      noting(
        'decay',
        addDecayedWeights(0.5, () => true),
      ),
      noting('momentum', accumulateMomentum(0.5, false)),
      noting('rate', scaleByLearningRate()),
    )
    const state = links.init(params)
    expect(Object.keys(state)).toEqual(['0', '1', '2'])
    const first = links.update({ w: tensor([[1, 1]]) }, state, params, hyper(0.1))
    expect(order).toEqual(['decay', 'momentum', 'rate'])
    // g + 0.5 p = [1.5, 2], times −0.1; then the momentum adds half of the last sum.
    expect(numbers(first.updates)['w']!.map((x) => +x.toFixed(6))).toEqual([-0.15, -0.2])
    const second = links.update({ w: tensor([[1, 1]]) }, first.state, params, hyper(0.1, 2))
    expect(numbers(second.updates)['w']!.map((x) => +x.toFixed(6))).toEqual([-0.225, -0.3])
  })

  it('returns the gradients unchanged if it is empty', () => {
    const grads = { w: tensor([1, 2]) }
    expect(chain().update(grads, chain().init(grads), grads, hyper(1)).updates).toEqual(grads)
  })
})

describe('addDecayedWeights', () => {
  it('excludes selected parameters, and passes gradients without a parameter', () => {
    const decay = addDecayedWeights(0.1, (name, rank) => !isBiasOrNorm(name, rank))
    const params = { 'a.weight': tensor([[10]]), 'a.bias': tensor([10]) }
    const grads = { 'a.weight': tensor([[1]]), 'a.bias': tensor([1]), other: tensor([[1]]) }
    expect(numbers(decay.update(grads, {}, params, hyper(1)).updates)).toEqual({
      'a.weight': [2],
      'a.bias': [1],
      other: [1],
    })
  })

  it.each([
    ['bert.encoder.layer.0.output.dense.weight', 2, false],
    ['bert.embeddings.word_embeddings.weight', 2, false],
    ['bert.encoder.layer.0.output.dense.bias', 1, true],
    ['bert.encoder.layer.0.output.LayerNorm.weight', 1, true],
    ['transformer.h.0.ln_1.weight', 1, true],
    ['model.layers.0.input_layernorm.weight', 1, true],
    ['encoder.relative_attention_bias.weight', 2, true],
    ['adapter.debiased.weight', 2, false],
    ['normalizer.weight', 2, false],
  ])('isBiasOrNorm of %s with rank %p is %p', (name, rank, expected) => {
    expect(isBiasOrNorm(name, rank)).toBe(expected)
  })
})

describe('scaleByAdam', () => {
  it('takes a first step of length one for any gradient magnitude, and none for a zero gradient', () => {
    const params = { w: tensor([1, 1, 1, 1]) }
    const adam = scaleByAdam(0.9, 0.999, 1e-8)
    const { updates } = adam.update({ w: tensor([1e-3, -5, 1e4, 0]) }, adam.init(params), params, hyper(1))
    numbers(updates)['w']!.forEach((x, i) => expect(x).toBeCloseTo([1, -1, 1, 0][i]!, 4))
  })
})

describe('biasCorrection', () => {
  it.each([0, 0.5, 0.9, 0.999, 0.9999])('of decay %p is 1 − decay^step within float32 rounding', (decay) => {
    for (const step of [1, 2, 10, 1000, 1e6]) {
      const [expected, found] = [1 - decay ** step, biasCorrection(decay, scalar(step)).dataSync()[0]!]
      expect(Math.abs(found / expected - 1)).toBeLessThan(5e-7)
    }
  })
})

describe('clipByGlobalNorm', () => {
  it('keeps the direction of the gradient', () => {
    const grads = { a: tensor([3, 0]), b: tensor([4]) }
    const { updates } = clipByGlobalNorm(1).update(grads, {}, grads, hyper(1))
    expect(numbers(updates)).toEqual({ a: [expect.closeTo(0.6, 5), 0], b: [expect.closeTo(0.8, 5)] })
  })
})

describe('normal and filledWith', () => {
  it('return the requested deviation, zero row and fill value', () => {
    const values = normal([1, 2], [500, 40], 0.02, 3).dataSync()
    const rest = Array.from(values).filter((_, i) => Math.floor(i / 40) !== 3)
    const [mean, square] = [rest.reduce((a, b) => a + b, 0), rest.reduce((a, b) => a + b * b, 0)].map(
      (x) => x / rest.length,
    )
    expect(Math.abs(mean!)).toBeLessThan((5 * 0.02) / Math.sqrt(rest.length))
    expect(Math.abs(square! / 0.02 ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / rest.length))
    expect([...values.subarray(3 * 40, 4 * 40)]).toEqual(new Array<number>(40).fill(0))
    expect([...filledWith([2, 2], 1.5).dataSync()]).toEqual([1.5, 1.5, 1.5, 1.5])
  })
})
