import { readFileSync } from 'node:fs'
import type { HostArray, LossCall, LossFunction, Params, TextInputs, Tree } from '@attune/core'
import { crossEntropy, embedding, gradients, linear, withHook } from '@attune/nn'
import {
  type RegularizerGolden,
  describeRegularizer,
  floats,
  integers,
  referenceEngine,
  textInputs,
} from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Tensor, div, mean, scalar, sum, tanh } from '@tensorflow/tfjs-core'
import { gradientPenalty } from './gradient-penalty.js'

const golden = JSON.parse(readFileSync('golden/torch-gradient-penalty.json', 'utf8')) as RegularizerGolden
/** Tolerance of gradients by central differences, relative to the largest entry of a parameter. */
const TOLERANCE = 5e-4

describeRegularizer(gradientPenalty, { options: { strength: 0.5, target: 0.1, sides: 'two' } })

const classifier: LossFunction = ({ trainable, batch, hook }: LossCall) => {
  const params = withHook(trainable, hook)
  const { inputIds } = batch.inputs as unknown as TextInputs
  const head = linear(params, 'classifier', tanh(mean(embedding(params, 'words', inputIds), 1)))
  return { sum: sum(crossEntropy(head, batch['labels'] as Tensor)), weight: scalar(head.shape[0]!), head }
}

describe('gradient-penalty', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it.each(golden.cases)(`agrees with second derivatives of ${golden.source}: $options`, async (given) => {
    const { ids, labels } = given.batch!
    const params = engine.put(
      Object.fromEntries(
        Object.entries(given.parameters).map(([name, { values, shape }]) => [name, floats(values, shape)]),
      ),
    ) as Params
    const batch = engine.put({ inputs: textInputs(ids), labels: integers(labels, [labels.length]) }) as unknown as Tree
    const regularized = gradientPenalty(given.options as never).wrap(classifier)
    const program = engine.compile((trainable: Params, on: Tree) => {
      const call = { trainable, frozen: {}, batch: on, mode: { training: true } } as unknown as LossCall
      const { value, grads } = gradients(() => {
        const { sum: total, weight } = regularized(call)
        return div(total, weight)
      }, trainable)
      return { value, grads }
    })
    const { value, grads } = (await engine.read(program(params, batch))) as unknown as {
      value: HostArray
      grads: Record<string, HostArray>
    }
    expect(value.values[0]).toBeCloseTo(given.expected, 5)
    for (const [name, slopes] of Object.entries(given.gradients!)) {
      const largest = Math.max(...slopes.map(Math.abs))
      const apart = Math.max(...slopes.map((slope, at) => Math.abs(slope - grads[name]!.values[at]!))) / largest
      expect(apart).toBeLessThan(TOLERANCE)
    }
  })
})
