import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { tensor } from '@tensorflow/tfjs-core'
import { crossEntropy } from './cross-entropy.js'

const golden = JSON.parse(readFileSync('golden/cross-entropy.json', 'utf8')) as LossGolden

describeLoss(crossEntropy, { golden })
describeLoss(crossEntropy, { options: { labelSmoothing: 0.2, classWeights: [1, 0, 2, 0.5] } })

it('rejects class weights of another number of classes', () => {
  const { losses } = crossEntropy({ classWeights: [1, 2] })
  expect(() => losses(tensor([[1, 2, 3]]), tensor([0], [1], 'int32'))).toThrow(
    expect.objectContaining({ code: 'BAD_ARGUMENT', message: expect.stringContaining('3 classes') as unknown }),
  )
})
