import { expect, it } from '@jest/globals'
import { labelConfig, labelNumbers, learnLabels, requireLabels, scoresByLabel, withLabels } from './labels.js'

it('labelNumbers maps labels to their indices and rejects inherited property names', () => {
  const numberOf = labelNumbers(['bad', 'good'])
  expect([numberOf('bad'), numberOf('good')]).toEqual([0, 1])
  expect(() => numberOf('godo')).toThrow(
    expect.objectContaining({ code: 'UNKNOWN_LABEL', remedy: expect.stringContaining('good') }),
  )
  expect(() => numberOf('constructor')).toThrow(expect.objectContaining({ code: 'UNKNOWN_LABEL' }))
})

it('learnLabels returns the distinct labels sorted, and rejects an empty one with its example', async () => {
  const learn = (labels: readonly string[]) =>
    learnLabels(
      (async function* () {
        for (const label of labels) yield { text: 'x', label: await Promise.resolve(label) }
      })(),
      ({ label }) => [label as string],
    )
  expect(await learn(['b', '__proto__', 'a', 'b', 'constructor'])).toEqual(['__proto__', 'a', 'b', 'constructor'])
  await expect(learn(['b', ' '])).rejects.toMatchObject({
    code: 'MISSING_FIELD',
    problem: expect.stringContaining('{"text":"x","label":" "}') as unknown,
  })
})

it('learnLabels rejects the numbers of a regression, and learns a few decimals and many integers', async () => {
  const learn = (labels: readonly string[]) =>
    learnLabels(
      (async function* () {
        for (const label of labels) yield { label: await Promise.resolve(label) }
      })(),
      ({ label }) => [label as string],
    )
  const scores = (count: number, divisor: number) => Array.from({ length: count }, (_, i) => String(i / divisor))
  await expect(learn(scores(268, 50))).rejects.toMatchObject({
    code: 'NO_LABELS',
    problem: expect.stringContaining('got 268 distinct numbers (0, 0.02, 0.04, …)') as unknown,
    cause: { label: '0.02' },
  })
  expect(await learn(scores(10, 2))).toHaveLength(10)
  expect(await learn(scores(268, 1))).toHaveLength(268)
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

it('withLabels keeps the labels of the options and learns missing ones', async () => {
  const examples = async function* () {
    for (const label of ['b', 'a', 'b']) yield { label: await Promise.resolve(label) }
  }
  const labelsOf = ({ label }: Readonly<Record<string, unknown>>) => [label as string]
  expect(await withLabels({ text: 't', labels: ['z'] }, examples, labelsOf)).toEqual({ text: 't', labels: ['z'] })
  const open: { text: string; labels?: string[] } = { text: 't' }
  expect(await withLabels(open, examples, labelsOf)).toEqual({ text: 't', labels: ['a', 'b'] })
})

it('scoresByLabel names scores', () => expect(scoresByLabel(['a', 'b'], [0.25, 0.75])).toEqual({ a: 0.25, b: 0.75 }))

it('requireLabels rejects fewer labels than the minimum', () => {
  expect(requireLabels('x', ['a', 'b'], 2)).toEqual(['a', 'b'])
  expect(() => requireLabels('x', ['a'], 2)).toThrow(
    expect.objectContaining({ code: 'NO_LABELS', problem: 'objective x: expected at least 2 labels, got a' }),
  )
})
