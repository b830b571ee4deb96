import { expect, it } from '@jest/globals'
import { labelConfig, labelNumbers, requireLabels } from './labels.js'

it('numbers labels by their place, and does not take what objects inherit for one', () => {
  const numberOf = labelNumbers(['bad', 'good'])
  expect([numberOf('bad'), numberOf('good')]).toEqual([0, 1])
  expect(() => numberOf('godo')).toThrow(
    expect.objectContaining({ code: 'UNKNOWN_LABEL', remedy: expect.stringContaining('good') }),
  )
  expect(() => numberOf('constructor')).toThrow(expect.objectContaining({ code: 'UNKNOWN_LABEL' }))
})

it('writes labels both ways', () =>
  expect(labelConfig(['bad', 'good'])).toEqual({
    id2label: { 0: 'bad', 1: 'good' },
    label2id: { bad: 0, good: 1 },
  }))

it('needs labels, and names who does', () => {
  expect(requireLabels('x', ['a'])).toEqual(['a'])
  expect(() => requireLabels('x', undefined)).toThrow(
    expect.objectContaining({ code: 'NO_LABELS', problem: expect.stringContaining('objective x') }),
  )
})

it('keeps the message short, and the search for a near label too, however long labels are', () => {
  const labels = Array.from({ length: 30 }, (_, i) => `${'a'.repeat(30_000)}${i}`)
  const before = process.cpuUsage().user
  expect(() => labelNumbers(labels)('b'.repeat(30_000))).toThrow(
    expect.objectContaining({
      code: 'UNKNOWN_LABEL',
      problem: expect.stringMatching(/^.{1,1500}$/),
      remedy: expect.stringMatching(/^.{1,500}$/),
    }),
  )
  expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(5)
})
