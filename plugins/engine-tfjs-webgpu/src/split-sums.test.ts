import { describe, expect, it } from '@jest/globals'
import { inGroups } from './split-sums.js'

/** A kernel that adds numbers, the sizes of its calls, and the tensors that were freed. */
function recordedKernel() {
  const sizes: number[] = []
  const freed: object[] = []
  const backend = { disposeData: (id: object) => void freed.push(id) }
  const values = new Map<object, number>()
  const tensor = (value: number) => {
    const dataId = {}
    values.set(dataId, value)
    return { dataId, shape: [], dtype: 'float32' as const }
  }
  const add = inGroups(({ inputs }) => {
    sizes.push(inputs.length)
    return tensor(inputs.reduce((sum, { dataId }) => sum + values.get(dataId)!, 0))
  })
  const sum = (count: number) => {
    const inputs = Array.from({ length: count }, (_, i) => tensor(i))
    return { inputs, value: values.get(add({ inputs, backend }).dataId) }
  }
  return { sum, sizes, freed }
}

describe('inGroups', () => {
  it.each([1, 2, 7, 8, 13, 14, 41])('returns the sum of %d tensors, adding at most seven at a time', (count) => {
    const { sum, sizes, freed } = recordedKernel()
    const { inputs, value } = sum(count)
    expect(value).toBe((count * (count - 1)) / 2)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(7)
    expect(freed).toHaveLength(sizes.length - 1)
    expect(inputs.filter(({ dataId }) => freed.includes(dataId))).toEqual([])
  })
})
