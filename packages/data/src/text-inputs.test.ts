import { expect, it } from '@jest/globals'
import { textArrays, textOf } from './text-inputs.js'

it('textArrays pads on the left on request and then adds position ids', () => {
  const arrays = textArrays([[5, 6, 7], [8]], 4, 9, [[0, 0, 1], [0]], 'left')
  const values = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, [...array.values]]))
  expect(values).toEqual({
    inputIds: [9, 5, 6, 7, 9, 9, 9, 8],
    attentionMask: [0, 1, 1, 1, 0, 0, 0, 1],
    tokenTypeIds: [0, 0, 0, 1, 0, 0, 0, 0],
    positionIds: [0, 0, 1, 2, 0, 0, 0, 0],
  })
  expect(textArrays([[5]], 2, 9)).not.toHaveProperty('positionIds')
})

it('textArrays pads ids and types on the right and masks the padding', () => {
  const { inputIds, attentionMask, tokenTypeIds } = textArrays([[5, 6, 7], [8]], 4, 9, [[0, 0, 1], [0]])
  expect([...inputIds.values]).toEqual([5, 6, 7, 9, 8, 9, 9, 9])
  expect([...attentionMask.values]).toEqual([1, 1, 1, 0, 1, 0, 0, 0])
  expect([...tokenTypeIds.values]).toEqual([0, 0, 1, 0, 0, 0, 0, 0])
  expect([...textArrays([[1, 2]], 2, 0).tokenTypeIds.values]).toEqual([0, 0])
})

it('textOf returns the text of a field and rejects an example without one', () => {
  expect(textOf({ text: '' }, 'text')).toBe('')
  for (const example of [{}, { text: 3 }, { words: 'a' }])
    expect(() => textOf(example as never, 'text')).toThrow(expect.objectContaining({ code: 'MISSING_FIELD' }))
  expect(() => textOf({ txt: 'a' }, 'text')).toThrow(
    expect.objectContaining({ remedy: "Did you mean txt? Name it under `text` in the objective's options." }),
  )
  expect(() => textOf({}, 'toString')).toThrow(expect.objectContaining({ code: 'MISSING_FIELD' }))
})
