import { readFileSync } from 'node:fs'
import type { HostArray, LossCall, LossFunction, Params, TextInputs, Tree } from '@attune/core'
import { crossEntropy, embedding, gradients, linear, mixupLoss, symmetricBeta, withHook } from '@attune/nn'
import { describeRegularizer, expectClose, floats, integers, referenceEngine } from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Tensor, cast, div, expandDims, mul, scalar, sum, tanh } from '@tensorflow/tfjs-core'
import { mixup } from './mixup.js'

describeRegularizer(mixup, { options: { alpha: 0.4 } })

interface Arrays {
  readonly [name: string]: { readonly shape: readonly number[]; readonly values: readonly number[] }
}
const read = <T>(file: string) =>
  JSON.parse(readFileSync(`golden/${file}`, 'utf8')) as { source: string; cases: readonly T[] }
const golden = read<{
  ratio: number
  ids: number[][]
  mask: number[][]
  labels: number[]
  parameters: Arrays
  expected: number
  gradients: Record<string, number[]>
}>('torch-mixup.json')
const distributions = read<{ alpha: number; probabilities: number[]; quantiles: number[] }>('scipy-mixup.json')

/** Mean of the word embeddings of a text under its mask, through tanh, to logits. */
const classifier: LossFunction = ({ trainable, batch, hook }: LossCall) => {
  const params = withHook(trainable, hook)
  const { inputIds, attentionMask } = batch.inputs as unknown as TextInputs
  const mask = expandDims(cast(attentionMask, 'float32'), -1)
  const pooled = div(sum(mul(embedding(params, 'words', inputIds), mask), 1), sum(mask, 1))
  const head = linear(params, 'classifier', tanh(pooled))
  return { sum: sum(crossEntropy(head, batch['labels'] as Tensor)), weight: scalar(head.shape[0]!), head }
}

describe('mixup', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const batchOf = (ids: number[][], mask: number[][], labels: number[]): Tree => {
    const shape = [ids.length, ids[0]!.length]
    return engine.put({
      inputs: { inputIds: integers(ids.flat(), shape), attentionMask: integers(mask.flat(), shape) },
      labels: integers(labels, [labels.length]),
    }) as unknown as Tree
  }

  it.each(golden.cases)(`agrees with ${golden.source} on padded texts: ratio $ratio`, async (given) => {
    const params = engine.put(
      Object.fromEntries(
        Object.entries(given.parameters).map(([name, { values, shape }]) => [name, floats(values, shape)]),
      ),
    ) as Params
    const batch = batchOf(given.ids, given.mask, given.labels)
    const program = engine.compile((trainable: Params, on: Tree) => {
      const { value, grads } = gradients(() => {
        const call = { trainable, frozen: {}, batch: on, mode: { training: true } } as unknown as LossCall
        const { sum: total, weight } = mixupLoss(classifier, call, given.ratio, 'mixup')
        return div(total, weight)
      }, trainable)
      return { value, grads }
    })
    const { value, grads } = (await engine.read(program(params, batch))) as unknown as {
      value: HostArray
      grads: Record<string, HostArray>
    }
    expect(value.values[0]).toBeCloseTo(given.expected, 5)
    for (const [name, values] of Object.entries(given.gradients))
      expectClose(grads[name]!, floats(values, given.parameters[name]!.shape), 1e-5)
  })

  it.each(distributions.cases)(
    `samples the Beta distribution with the quantiles of ${distributions.source}: alpha $alpha`,
    async ({ alpha, probabilities, quantiles }) => {
      const count = 4000
      const seed = engine.put(integers([5, 11], [2])) as Tensor
      const { values } = (await engine.read(symmetricBeta({ seed, stream: 1 }, alpha, count))) as HostArray
      const fractions = quantiles.map((quantile) => values.filter((value) => value <= quantile).length / count)
      // Six standard deviations of a fraction.
      fractions.forEach((fraction, i) =>
        expect(Math.abs(fraction - probabilities[i]!)).toBeLessThan((6 * 0.5) / Math.sqrt(count)),
      )
    },
  )

  it('draws another ratio for another seed, and the same for the same', async () => {
    const ratio = async (seed: number): Promise<number> => {
      const key = { seed: engine.put(integers([seed, 0], [2])) as Tensor, stream: 0 }
      return ((await engine.read(symmetricBeta(key, 1, 1))) as HostArray).values[0]!
    }
    expect(await ratio(1)).toBe(await ratio(1))
    expect(await ratio(1)).not.toBe(await ratio(2))
  })

  it.each([
    ['a head that returns a single number', { head: [4, 1], labels: [4] }],
    ['targets that are not one row per text', { head: [4, 3], labels: [9] }],
  ])('rejects %s', (_, { head, labels }) => {
    const params = engine.put({ 'words.weight': floats(new Array<number>(6).fill(0), [3, 2]) }) as Params
    const loss: LossFunction = ({ trainable, batch, hook }) => {
      embedding(withHook(trainable, hook), 'words', (batch.inputs as unknown as TextInputs).inputIds)
      const size = head.reduce((a, b) => a * b)
      return {
        sum: scalar(1),
        weight: scalar(4),
        head: engine.put(floats(new Array<number>(size).fill(0), head)) as Tensor,
      }
    }
    const batch = batchOf([[1], [2], [1], [2]], [[1], [1], [1], [1]], new Array<number>(labels[0]!).fill(0))
    const seed = engine.put(integers([7, 0], [2])) as Tensor
    const mode = { training: true, key: { seed, stream: 0 } }
    expect(() => mixup().wrap(loss)({ trainable: params, frozen: {}, batch, mode } as never)).toThrow(
      expect.objectContaining({ code: 'REGULARIZER_MISMATCH' }),
    )
  })
})
