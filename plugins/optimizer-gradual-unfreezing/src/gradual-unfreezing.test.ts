import { readFileSync } from 'node:fs'
import { type HostArray, type Hyper, type Optimizer, type Params, type Tree, mapParams } from '@attune/core'
import { addDecayedWeights, chain, filledWith, normal, scaleByAdam, scaleByLearningRate } from '@attune/nn'
import { type OptimizerGolden, describeOptimizer, referenceEngine, tinyModel } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { add, mul, scalar, tensor1d } from '@tensorflow/tfjs-core'
import { gradualUnfreezing } from './gradual-unfreezing.js'

const golden = JSON.parse(readFileSync('golden/torch-gradual-unfreezing.json', 'utf8')) as OptimizerGolden

describeOptimizer(gradualUnfreezing, { golden })

it('leaves frozen layers unchanged bit for bit under AdamW, and unfreezes on schedule', async () => {
  const engine = referenceEngine()
  await engine.start()
  const optimizer: Optimizer = chain(
    scaleByAdam(0.9, 0.999, 1e-8),
    addDecayedWeights(0.1, () => true),
    scaleByLearningRate(),
    gradualUnfreezing({ everySteps: 3 }, { model: tinyModel() }),
  )
  const names = {
    top: 'tiny.encoder.layer.1',
    pooler: 'tiny.pooler',
    lower: 'tiny.encoder.layer.0',
    embeddings: 'tiny.embeddings',
  }
  const initial = (): Params => ({
    ...Object.fromEntries(
      Object.entries(names).map(([name, prefix], i) => [`${prefix}.${name}.weight`, normal([1, i], [4], 1)]),
    ),
    'classifier.weight': filledWith([4], 1),
  })
  const step = engine.compile((params: Params, state: Tree, hyper: Hyper) => {
    const { updates, state: next } = optimizer.update(
      mapParams((p) => mul(2, p), params),
      state,
      params,
      hyper,
    )
    return { params: mapParams((p, u) => add(p, u), params, updates), state: next }
  })
  let [params, state] = [initial(), optimizer.init(initial()) as Tree]
  const changedAt: Record<string, number> = {}
  let before = (await engine.read(params)) as Record<string, HostArray>
  for (let i = 1; i <= 12; i++) {
    const hyper = {
      learningRate: scalar(0.1),
      step: scalar(i),
      steps: scalar(12),
      seed: tensor1d([1, i], 'int32'),
      scheduled: {},
    }
    ;({ params, state } = step(params, state, hyper))
    const after = (await engine.read(params)) as Record<string, HostArray>
    for (const [name, { values }] of Object.entries(after))
      if (values.some((value, j) => !Object.is(value, before[name]!.values[j])))
        changedAt[name.split('.').at(-2)!] ??= i
    before = after
  }
  expect(changedAt).toEqual({ classifier: 1, top: 1, pooler: 1, lower: 4, embeddings: 7 })
  await engine.close()
})
