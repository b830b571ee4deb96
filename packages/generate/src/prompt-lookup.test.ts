import { describe, expect, it } from '@jest/globals'
import { promptLookup } from './prompt-lookup.js'

describe('promptLookup', () => {
  it('returns what followed the same tokens before', () => {
    expect(promptLookup([1, 2, 3, 4, 5, 6, 1, 2, 3], 3)).toEqual([4, 5, 6])
  })

  it('prefers the longest match of at most three tokens, then the latest', () => {
    expect(promptLookup([7, 1, 2, 3, 9, 2, 3, 8, 1, 2, 3], 1)).toEqual([9])
    expect(promptLookup([1, 2, 5, 1, 2, 6, 1, 2], 1)).toEqual([6])
    expect(promptLookup([4, 5, 9, 3, 5, 8, 5], 1)).toEqual([8])
    expect(promptLookup([0, 1, 2, 3, 7, 9, 1, 2, 3, 8, 0, 1, 2, 3], 1)).toEqual([8])
  })

  it('starts over where the match reaches the end of the sequence', () => {
    expect(promptLookup([1, 2, 1, 2], 5)).toEqual([1, 2, 1, 2, 1])
    expect(promptLookup([3, 3], 3)).toEqual([3, 3, 3])
  })

  it('repeats the last token if it did not occur before', () => {
    expect(promptLookup([1, 2, 3], 4)).toEqual([3, 3, 3, 3])
    expect(promptLookup([1], 2)).toEqual([1, 1])
  })
})
