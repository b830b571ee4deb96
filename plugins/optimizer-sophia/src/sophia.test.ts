import { readFileSync } from 'node:fs'
import type { Closure, HostArray, Hyper, Params, Tree } from '@attune/core'
import { crossEntropy, gradients } from '@attune/nn'
import { type OptimizerGolden, describeOptimizer, largestDifference, referenceEngine } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { type Tensor, add, matMul, mean, scalar, tensor2d } from '@tensorflow/tfjs-core'
import { sophia } from './sophia.js'

const golden = JSON.parse(readFileSync('golden/pytorch_optimizer-sophia.json', 'utf8')) as OptimizerGolden

describeOptimizer(sophia, { golden })

/** Steps of Sophia-G by the authors' update (tools/golden/sophia_g.py): softmax regression with the labels sampled at each step. */
interface SampledGolden {
  readonly cases: readonly {
    readonly options: Parameters<typeof sophia>[0]
    readonly learningRate: number
    readonly features: number[][]
    readonly labels: readonly number[]
    readonly initial: readonly (readonly number[])[]
    readonly samples: readonly (readonly number[])[]
    readonly expected: readonly (readonly number[])[]
  }[]
}

const sampled = JSON.parse(readFileSync('golden/sophia-g.json', 'utf8')) as SampledGolden

const float = (shape: readonly number[], values: readonly number[]): HostArray => ({
  shape,
  dtype: 'float32',
  values: Float32Array.from(values),
})
const labelsOf = (labels: readonly number[]): HostArray => ({
  shape: [labels.length],
  dtype: 'int32',
  values: Int32Array.from(labels),
})

it.each(sampled.cases)('matches the steps of Sophia-G of its authors for $options', async (example) => {
  const { options, learningRate, features, labels, initial, samples, expected } = example
  const optimizer = sophia(options)
  const engine = referenceEngine()
  await engine.start()
  const step = engine.compile((weight: Tensor, state: Tree, own: Tensor, drawn: Tensor, hyper: Hyper) => {
    const closure: Closure = (params, kind) => {
      const loss = (): Tensor =>
        mean(crossEntropy(matMul(tensor2d(features), params['weight']!, false, true), kind === 'sampled' ? drawn : own))
      const { value, grads } = gradients(loss, params)
      return { loss: value, grads, weight: scalar(labels.length) }
    }
    const params: Params = { weight }
    const { updates, state: next } = optimizer.update(closure(params).grads, state, params, hyper, closure)
    return { weight: add(weight, updates['weight']!), state: next }
  })
  let weight: Tensor = engine.put(float([initial.length, initial[0]!.length], initial.flat()))
  let state = engine.compile(() => optimizer.init({ weight }))()
  for (const [i, values] of expected.entries()) {
    const hyper = engine.put({
      learningRate: float([], [learningRate]),
      step: float([], [i + 1]),
      steps: float([], [expected.length]),
      seed: labelsOf([1, i]),
    })
    const given = [engine.put(labelsOf(labels)), engine.put(labelsOf(samples[i]!))] as const
    ;({ weight, state } = step(weight, state, ...given, { ...hyper, scheduled: {} }))
    const found = await engine.read(weight)
    expect(largestDifference(found.values, values)).toBeLessThan(1e-5)
  }
  await engine.close()
})
