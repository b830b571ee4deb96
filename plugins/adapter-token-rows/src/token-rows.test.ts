import { type HostArray, key } from '@attune/core'
import { filledWith } from '@attune/nn'
import { adapterPass, describeAdapter, referenceEngine, tinyModel } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { tokenRows } from './token-rows.js'

describeAdapter(tokenRows, { options: { count: 5 } })
describeAdapter(tokenRows, { options: { count: 5, by: 'gradient', layers: 1 } })

const WORDS = 'tiny.embeddings.word_embeddings.weight'
const adapted = async (options: Parameters<typeof tokenRows>[0]) => {
  const engine = referenceEngine()
  await engine.start()
  const model = tinyModel()
  const params = {
    ...model.init(key(1)),
    'classifier.weight': filledWith([3, 8], 0.5),
    'lm_head.weight': filledWith([128, 8], 0),
  }
  const pass = adapterPass(engine, model, params, [[7, 3, 9, 7], [5, 7, 3], [9]])
  const { trainable, masks = {} } = await tokenRows(options, { engine }).adapt(model, params, { pass })
  const { [WORDS]: mask } = (await engine.read(masks)) as Record<string, HostArray>
  await engine.close()
  const rows = Array.from({ length: 128 }, (_, row) => row).filter((row) => mask!.values[8 * row] === 1)
  expect([...mask!.values].filter((value) => value === 1).length).toBe(8 * rows.length)
  return { trainable: Object.keys(trainable).sort(), rows }
}

it('trains the rows of the most frequent tokens, and the head', async () => {
  expect(await adapted({ count: 2 })).toEqual({ trainable: ['classifier.weight', WORDS], rows: [3, 7] })
  expect((await adapted({ count: 100 })).rows).toEqual([3, 5, 7, 9])
  expect((await adapted({ count: 100, batchSize: 1, batches: 1 })).rows).toEqual([3, 7, 9])
  expect((await adapted({ count: 100, by: 'gradient', batchSize: 1 })).rows).toEqual([3, 5, 7, 9])
})

it('trains the layers that attend most to the chosen tokens', async () => {
  const { trainable } = await adapted({ count: 1, layers: 1 })
  const layers = new Set(trainable.map((name) => /layer\.\d/.exec(name)?.[0]).filter((layer) => layer !== undefined))
  expect(layers.size).toBe(1)
  expect(trainable.filter((name) => name.includes('layer.'))).toHaveLength(12)
  expect((await adapted({ count: 1, layers: 9 })).trainable).toHaveLength(26)
})
