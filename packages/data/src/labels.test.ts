import { expect, it } from '@jest/globals'
import { labelConfig, labelNumbers, requireLabels } from './labels.js'

it('labelNumbers maps labels to their indices and rejects inherited property names', () => {
  const numberOf = labelNumbers(['bad', 'good'])
  expect([numberOf('bad'), numberOf('good')]).toEqual([0, 1])
  expect(() => numberOf('godo')).toThrow(
    expect.objectContaining({ code: 'UNKNOWN_LABEL', remedy: expect.stringContaining('good') }),
  )
  expect(() => numberOf('constructor')).toThrow(expect.objectContaining({ code: 'UNKNOWN_LABEL' }))
})

it('labelConfig maps ids to labels and labels to ids', () =>
  expect(labelConfig(['bad', 'good'])).toEqual({
    id2label: { 0: 'bad', 1: 'good' },
    label2id: { bad: 0, good: 1 },
  }))

it('requireLabels throws without labels and names the objective', () => {
  expect(requireLabels('x', ['a'])).toEqual(['a'])
  expect(() => requireLabels('x', undefined)).toThrow(
    expect.objectContaining({ code: 'NO_LABELS', problem: expect.stringContaining('objective x') }),
  )
})

it('labelNumbers keeps the message and the search short for very long labels', () => {
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
