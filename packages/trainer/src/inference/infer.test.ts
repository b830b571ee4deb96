import { expect, it } from '@jest/globals'
import type { Encoded, Model, Objective, OnHost, Params } from '@attune/core'
import { type Tensor, add, onesLike, tensor1d } from '@tensorflow/tfjs-core'
import { toyEngine } from '../run/toy.test.fixture.js'
import { inference } from './infer.js'

interface Head {
  readonly logits: Tensor
  /** A parameter, as it is. */
  readonly bias: Tensor
}

it('keeps the parameters that a head returns as they are, and frees the rest of the result', async () => {
  const engine = toyEngine()
  await engine.start()
  const model = { forward: (_params: Params, inputs: Record<string, Tensor>) => inputs } as unknown as Model
  const objective = {
    collate: (items: readonly Encoded[]) => ({
      inputs: { x: { shape: [items.length], dtype: 'float32', values: Float32Array.from(items, () => 2) } },
    }),
    head: (params: Params, { x }: { x: Tensor }) => ({ logits: add(x, params['bias']!), bias: params['bias'] }),
    loss: ({ logits }: Head) => ({ losses: logits, weights: onesLike(logits) }),
    predict: ({ logits }: OnHost<Head>) => [{ value: logits.values[0] }],
  } as unknown as Objective
  const params = { bias: tensor1d([1]) }
  const forward = inference(engine, model, objective, { batchSize: 1 })
  const live = engine.live()
  for (let i = 0; i < 3; i++)
    expect(await forward.batch(params, [{ length: 1, truncated: false }])).toEqual([{ value: 3 }])
  expect(params.bias.isDisposed).toBe(false)
  expect(engine.live()).toBe(live)
  forward.dispose()
  await engine.close()
})
