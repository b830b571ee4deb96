import { describeAdapter, referenceEngine, tinyModel } from '@attune/testkit'
import { key } from '@attune/core'
import { expect, it } from '@jest/globals'
import { gradientPruning } from './gradient-pruning.js'

describeAdapter(gradientPruning)
describeAdapter(gradientPruning, {
  options: { mode: 'freeze', fraction: 0.1, compare: 'layer' },
  without: ['initialFunction'],
})
describeAdapter(gradientPruning, { options: { score: 'fisher', batchSize: 1, batches: 2 } })

it('needs a pass over the training data', async () => {
  const engine = referenceEngine()
  await engine.start()
  const model = tinyModel()
  await expect(gradientPruning({}, { engine }).adapt(model, model.init(key(1)))).rejects.toMatchObject({
    code: 'NO_DATA_PASS',
  })
  await engine.close()
})
