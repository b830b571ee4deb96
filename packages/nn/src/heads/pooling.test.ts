import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import { tensor2d, tensor3d } from '@tensorflow/tfjs-core'
import { pool, poolingModes } from './pooling.js'

const states = tensor3d([1, -10, 3, -30, 100, 100, 5, -50, 8, -70, 2, -90], [2, 3, 2])

/** Values computed by hand for tokens 1–2 of the first text and 2–3 of the second. */
it.each([
  ['cls', [1, -10, 8, -70]],
  ['max', [3, -10, 8, -70]],
  ['mean', [2, -20, 5, -80]],
  ['mean_sqrt_len_tokens', [4 / Math.SQRT2, -40 / Math.SQRT2, 10 / Math.SQRT2, -160 / Math.SQRT2]],
  ['weightedmean', [7 / 3, -70 / 3, 22 / 5, -410 / 5]],
  ['lasttoken', [3, -30, 2, -90]],
] as const)('pool returns the %s of the tokens in the mask', (mode, expected) => {
  const mask = tensor2d(
    [
      [1, 1, 0],
      [0, 1, 1],
    ],
    undefined,
    'int32',
  )
  expect([...pool(mode, states, mask).dataSync()].map((value, i) => Math.abs(value - expected[i]!) < 1e-4)).toEqual(
    expected.map(() => true),
  )
})

it('pool returns finite values for a row of padding', () => {
  const mask = tensor2d([0, 0, 0, 0, 0, 0], [2, 3], 'int32')
  for (const mode of poolingModes)
    expect([mode, [...pool(mode, states, mask).dataSync()].every(Number.isFinite)]).toEqual([mode, true])
})
