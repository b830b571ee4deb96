import { type HostArray, key } from '@attune/core'
import { adapterPass, describeAdapter, referenceEngine, tinyModel } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { attentionStatistics } from './attention-statistics.js'

describeAdapter(attentionStatistics)
describeAdapter(attentionStatistics, { options: { by: 'high-entropy', unit: 'layer', fraction: 0.5 } })

const trained = async (options: Parameters<typeof attentionStatistics>[0]) => {
  const engine = referenceEngine()
  await engine.start()
  const model = tinyModel()
  const params = model.init(key(1))
  const pass = adapterPass(engine, model, params, [[7, 3, 9], [5, 8, 4, 2], [6]])
  const { trainable, masks = {} } = await attentionStatistics(options, { engine }).adapt(model, params, { pass })
  const read = (await engine.read(masks)) as Record<string, HostArray>
  await engine.close()
  return { trainable: Object.keys(trainable).sort(), masks: read }
}

it('trains the rows and biases of the query, key and value projections of the chosen heads', async () => {
  const { trainable, masks } = await trained({ by: 'low-entropy', fraction: 0.25 }) // one of four heads
  const layer = /tiny\.encoder\.layer\.\d/.exec(trainable[0]!)![0]
  const parts = ['key', 'query', 'value'].flatMap((part) =>
    ['bias', 'weight'].map((kind) => `${layer}.attention.self.${part}.${kind}`),
  )
  expect([trainable, Object.keys(masks).sort()]).toEqual([parts, parts])
  const rows = parts.map((name) => {
    const { values, shape } = masks[name]!
    const width = shape[1] ?? 1
    return Array.from({ length: 8 }, (_, row) => [...values.slice(row * width, (row + 1) * width)].join('')).map(
      (row) => (/^1+$/.test(row) ? 1 : /^0+$/.test(row) ? 0 : row),
    )
  })
  const [first] = rows
  expect([
    [1, 1, 1, 1, 0, 0, 0, 0],
    [0, 0, 0, 0, 1, 1, 1, 1],
  ]).toContainEqual(first)
  expect(rows).toEqual(rows.map(() => first))
})

it('trains all heads of a layer, without masks', async () => {
  const { trainable, masks } = await trained({ unit: 'layer', fraction: 0.5 })
  expect([trainable.length, Object.keys(masks)]).toEqual([6, []])
  const all = await trained({ fraction: 1 })
  expect([all.trainable.length, Object.keys(all.masks)]).toEqual([12, []])
})

it('rejects a model without attention heads, and a missing pass', async () => {
  const engine = referenceEngine()
  await engine.start()
  const model = tinyModel()
  const params = model.init(key(1))
  const adapter = attentionStatistics({}, { engine })
  await expect(adapter.adapt(model, params)).rejects.toMatchObject({ code: 'NO_DATA_PASS' })
  const { 'tiny.pooler.dense.weight': weight } = params
  const only = { 'tiny.pooler.dense.weight': weight! }
  const pass = adapterPass(engine, model, only, [[3]])
  await expect(adapter.adapt(model, only, { pass })).rejects.toMatchObject({ code: 'UNKNOWN_TARGET' })
  await engine.close()
})
