import { describeAdapter, referenceEngine, tinyModel } from '@attune/testkit'
import { key } from '@attune/core'
import { expect, it } from '@jest/globals'
import { movementPruning } from './movement-pruning.js'

describeAdapter(movementPruning)
describeAdapter(movementPruning, {
  options: { mode: 'freeze', fraction: 0.1, compare: 'layer' },
  without: ['initialFunction'],
})

it('needs a pass over the training data', async () => {
  const engine = referenceEngine()
  await engine.start()
  const model = tinyModel()
  await expect(movementPruning({}, { engine }).adapt(model, model.init(key(1)))).rejects.toMatchObject({
    code: 'NO_DATA_PASS',
  })
  await engine.close()
})
