import { expect, it } from '@jest/globals'
import { floats, integers, textInputs } from './host-array.js'

it('floats and integers return vectors by default', () => {
  expect(floats([1, 2])).toEqual({ shape: [2], dtype: 'float32', values: Float32Array.of(1, 2) })
  expect(integers([1, 2], [2, 1])).toEqual({ shape: [2, 1], dtype: 'int32', values: Int32Array.of(1, 2) })
})

it('textInputs pads to the longest row or to a given length', () => {
  const { inputIds, attentionMask, tokenTypeIds } = textInputs([[7, 8, 9], [5]], 4, 1)
  expect(inputIds).toEqual(integers([7, 8, 9, 1, 5, 1, 1, 1], [2, 4]))
  expect(attentionMask).toEqual(integers([1, 1, 1, 0, 1, 0, 0, 0], [2, 4]))
  expect(tokenTypeIds).toEqual(integers(new Array<number>(8).fill(0), [2, 4]))
  expect(textInputs([[7, 8], [5]]).inputIds).toEqual(integers([7, 8, 5, 0], [2, 2]))
})
