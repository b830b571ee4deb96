import { type Optimizer, mapParams } from '@attune/core'
import { mul, neg } from '@tensorflow/tfjs-core'

/** Multiplies by `−learningRate`: the last link of a chain, which turns a gradient direction into a descent step. */
export const scaleByLearningRate = (): Optimizer<Record<never, never>> => ({
  init: () => ({}),
  update(grads, state, _params, { learningRate }) {
    const factor = neg(learningRate)
    return { updates: mapParams((g) => mul(factor, g), grads), state }
  },
})
