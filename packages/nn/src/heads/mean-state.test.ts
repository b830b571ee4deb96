import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import { tensor2d, tensor3d } from '@tensorflow/tfjs-core'
import { meanPool } from './mean-state.js'

it('meanPool returns the mean state of the tokens that are not padding, or zeros for a row of padding', () => {
  const states = tensor3d([1, 10, 3, 30, 100, 100, 5, 50, 7, 70, 9, 90], [2, 3, 2])
  const mask = (rows: number[][]) => tensor2d(rows, undefined, 'int32')
  const mean = (rows: number[][]): number[] => [...meanPool(states, mask(rows)).dataSync()]
  for (const [i, value] of [2, 20, 7, 70].entries())
    expect(
      mean([
        [1, 1, 0],
        [1, 1, 1],
      ])[i],
    ).toBeCloseTo(value, 4)
  expect(
    mean([
      [0, 0, 0],
      [0, 0, 0],
    ]),
  ).toEqual([0, 0, 0, 0])
})
