import { expect, it } from '@jest/globals'
import { textRows } from './text-rows.js'

const item = (...lengths: number[]) => ({
  rows: lengths.map((length) => ({ ids: Array<number>(length).fill(7), typeIds: Array<number>(length).fill(1) })),
  length: Math.max(...lengths),
  truncated: false,
})
const settings = { pad: 0, padToMultipleOf: 4, maximumLength: 16 } as const

it('textRows returns as many rows for every item as for the largest one in the equal layout', () => {
  const { inputs, examples } = textRows([item(2, 5), item(3)], { ...settings, layout: 'equal' })
  expect([...examples.values]).toEqual([0, 0, 1, -1])
  expect(inputs.inputIds.shape).toEqual([4, 8])
  const tokens = (row: number) => [...inputs.attentionMask.values.slice(row * 8, row * 8 + 8)].filter((x) => x === 1)
  expect([0, 1, 2, 3].map((row) => tokens(row).length)).toEqual([2, 5, 3, 1])
  expect([...inputs.inputIds.values.slice(24)]).toEqual(Array(8).fill(0))
})

it('textRows pads consecutive rows to a multiple of a quarter of the items', () => {
  const items = Array.from({ length: 16 }, (_, i) => (i === 3 ? item(2, 2) : item(2)))
  const { examples } = textRows(items, { ...settings, layout: 'consecutive' })
  expect([...examples.values]).toEqual([0, 1, 2, 3, 3, ...Array.from({ length: 12 }, (_, i) => i + 4), -1, -1, -1])
  expect([...textRows([item(1, 1, 1)], { ...settings, layout: 'consecutive' }).examples.values]).toEqual([0, 0, 0])
})
