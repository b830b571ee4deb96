import { expect, it } from '@jest/globals'
import { type Adapted, key } from '@attune/core'
import { describeAdapter, referenceEngine, tinyModel } from '@attune/testkit'
import { frozenLayers } from './frozen-layers.js'

describeAdapter(frozenLayers)
describeAdapter(frozenLayers, { options: { count: 2 } })

it('freezes `count` layer groups but never a head', async () => {
  const engine = referenceEngine()
  await engine.start()
  const model = tinyModel()
  const params = {
    ...model.init(key(1)),
    'classifier.weight': engine.put({ shape: [1], dtype: 'float32', values: Float32Array.of(1) }),
  }
  const frozenBy = (count: number) =>
    Object.keys((frozenLayers({ count }).adapt(model, params as never) as Adapted).frozen)
  expect(frozenBy(0)).toEqual([])
  expect(frozenBy(1).every((name) => name.startsWith('tiny.embeddings.'))).toBe(true)
  expect(frozenBy(1)).toHaveLength(2)
  expect(frozenBy(2).some((name) => name.startsWith('tiny.encoder.layer.0.'))).toBe(true)
  expect(frozenBy(99)).not.toContain('classifier.weight')
  expect(() => frozenLayers({ count: 99 }).adapt(model, model.init(key(1)))).toThrow(
    expect.objectContaining({ code: 'NOTHING_TRAINS', problem: expect.stringContaining('99') }),
  )
  await engine.close()
})
