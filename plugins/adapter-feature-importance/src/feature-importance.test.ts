import { type HostArray, key } from '@attune/core'
import { adapterPass, describeAdapter, referenceEngine, tinyModel } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { featureImportance } from './feature-importance.js'

describeAdapter(featureImportance)
describeAdapter(featureImportance, {
  options: { mode: 'freeze', fraction: 0.1, compare: 'layer' },
  without: ['initialFunction'],
})

it('chooses the same number of weights for each output, and ignores padding', async () => {
  const engine = referenceEngine()
  await engine.start()
  const model = tinyModel()
  const masksOf = async (rows: readonly (readonly number[])[], batchSize: number) => {
    const params = model.init(key(1))
    const pass = adapterPass(engine, model, params, rows)
    const adapter = featureImportance({ fraction: 0.25, batchSize }, { engine })
    const { masks = {} } = await adapter.adapt(model, params, { pass })
    return (await engine.read(masks)) as Record<string, HostArray>
  }
  const rows = [[7, 3, 9, 4, 12, 6], [5], [8, 2]]
  const [padded, alone] = [await masksOf(rows, 3), await masksOf(rows, 1)]
  expect(padded).toEqual(alone)
  for (const [name, { values, shape }] of Object.entries(padded)) {
    const [outputs, inputs] = shape as [number, number]
    const chosen = Array.from(
      { length: outputs },
      (_, i) => [...values].slice(i * inputs, (i + 1) * inputs).filter((value) => value === 1).length,
    )
    expect([name, chosen]).toEqual([name, chosen.map(() => inputs / 4)])
  }
  await expect(featureImportance({}, { engine }).adapt(model, model.init(key(1)))).rejects.toMatchObject({
    code: 'NO_DATA_PASS',
  })
  await engine.close()
})
