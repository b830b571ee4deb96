import { describe, expect, it } from '@jest/globals'
import { groupByAffinity } from './group-by-affinity.js'

describe('groupByAffinity', () => {
  it.each([
    [
      'two pairs that help each other',
      [
        [1, 2, -1, -1],
        [2, 1, -1, -1],
        [-1, -1, 1, 3],
        [-1, -1, 3, 1],
      ],
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [
      'tasks that all help',
      [
        [1, 1, 1],
        [1, 1, 1],
        [1, 1, 1],
      ],
      [[0, 1, 2]],
    ],
    [
      'tasks that harm',
      [
        [1, -1, -1],
        [-1, 1, -1],
        [-1, -1, 1],
      ],
      [[0], [1], [2]],
    ],
    // 0 helps 1 by more than 1 harms 0, and 2 would lower the mean affinity to both.
    [
      'a one-sided gain',
      [
        [1, 3, 0.1],
        [-1, 1, 0.1],
        [0, 0, 1],
      ],
      [[0, 1], [2]],
    ],
  ])('groups %s', (_, affinities, expected) => expect(groupByAffinity(affinities)).toEqual(expected))
})
