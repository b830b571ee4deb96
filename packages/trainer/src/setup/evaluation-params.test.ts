import { expect, it } from '@jest/globals'
import { ENGINE, type Optimizer, type Params, key, mapParams } from '@attune/core'
import { normal } from '@attune/nn'
import { referenceEngine } from '@attune/testkit'
import { mul } from '@tensorflow/tfjs-core'
import { installed } from '../run/installed.test.fixture.js'
import { evaluationParams } from './evaluation-params.js'

const engines = [['reference', referenceEngine()], ['onnxruntime', (await installed(ENGINE, 'onnxruntime'))({})]] as const // prettier-ignore

it.each(engines)('releases what it computes and keeps the tensors of the state, on %s', async (_, engine) => {
  await engine.start()
  const trainable = { a: normal(key(1), [2], 1), b: normal(key(2), [2], 1) }
  const state = { mean: { a: normal(key(3), [2], 1), b: normal(key(4), [2], 1) } }
  const before = engine.live()
  const averages: Optimizer['evaluationParams'][] = [
    (from) => (from as typeof state).mean as Params,
    (_state, params) => mapParams((p) => mul(p, 2), params),
  ]
  for (const average of averages) {
    const optimizer = { evaluationParams: average } as Optimizer
    evaluationParams({ optimizer, components: { engine } }, { trainable, optimizer: state }).release()
    const all = [...Object.values(trainable), ...Object.values(state.mean)]
    expect(all.filter(({ isDisposed }) => isDisposed)).toEqual([])
    expect(engine.live()).toBe(before)
  }
  await engine.close()
})
