import { describeAdapter, referenceEngine, tinyModel } from '@attune/testkit'
import { type HostArray, type Params, key } from '@attune/core'
import { filledWith } from '@attune/nn'
import { expect, it } from '@jest/globals'
import { magnitudePruning } from './magnitude-pruning.js'

describeAdapter(magnitudePruning)
describeAdapter(magnitudePruning, {
  options: { mode: 'freeze', fraction: 0.1, compare: 'layer' },
  without: ['initialFunction'],
})

const LAYER = 'tiny.pooler.dense.weight'
const adapted = async (options: Parameters<typeof magnitudePruning>[0]) => {
  const engine = referenceEngine()
  await engine.start()
  const params: Params = {
    ...tinyModel().init(key(1)),
    'classifier.weight': filledWith([3, 8], 0.5),
    'lm_head.weight': filledWith([128, 8], 0),
  }
  const { trainable, frozen, masks = {} } = await magnitudePruning(options, { engine }).adapt(tinyModel(), params)
  const read = async (tensors: Params) => (await engine.read(tensors)) as Record<string, HostArray>
  const found = {
    before: await read(params),
    trainable: await read(trainable),
    frozen: Object.keys(frozen),
    masks: await read(masks),
  }
  await engine.close()
  return found
}
const weightsAt = ({ before, masks }: Awaited<ReturnType<typeof adapted>>, mark: number): number[] =>
  Object.entries(masks).flatMap(([name, { values }]) =>
    [...values].flatMap((value, i) => (value === mark ? [Math.abs(before[name]!.values[i]!)] : [])),
  )

it('sets the smallest weights of all linear layers to zero, and trains everything else', async () => {
  const found = await adapted({ fraction: 0.3 })
  const [chosen, others] = [weightsAt(found, 1), weightsAt(found, 0)]
  expect(chosen.length).toBe(Math.round(0.3 * (chosen.length + others.length)))
  expect(Math.min(...chosen)).toBeGreaterThanOrEqual(Math.max(...others))
  for (const [name, { values }] of Object.entries(found.masks)) {
    const expected = Array.from(values, (mark, i) => (mark === 1 ? found.before[name]!.values[i]! : 0))
    expect([...found.trainable[name]!.values].every((value, i) => Object.is(value, expected[i]))).toBe(true)
  }
  expect(found.frozen).toEqual([])
  expect(Object.keys(found.masks)).toHaveLength(11)
})

it('freezes everything but the chosen weights and the head, with `mode: freeze`', async () => {
  const found = await adapted({ mode: 'freeze', chooses: 'smallest', fraction: 0.3 })
  expect(Math.max(...weightsAt(found, 1))).toBeLessThanOrEqual(Math.min(...weightsAt(found, 0)))
  expect(found.trainable[LAYER]).toEqual(found.before[LAYER])
  expect(Object.keys(found.trainable).sort()).toEqual(['classifier.weight', ...Object.keys(found.masks)].sort())
  expect(found.frozen).toEqual(expect.arrayContaining(['lm_head.weight', 'tiny.pooler.dense.bias']))
})

it('freezes layers without a chosen weight, and needs no mask where all are chosen', async () => {
  const { frozen, masks, trainable } = await adapted({ mode: 'freeze', fraction: 1, targets: ['pooler.dense'] })
  expect([Object.keys(masks), Object.keys(trainable).sort()]).toEqual([[], ['classifier.weight', LAYER]])
  const few = await adapted({ mode: 'freeze', fraction: 0.001 })
  expect([Object.keys(few.masks).length, weightsAt(few, 1)]).toEqual([1, [expect.any(Number)]])
  expect([frozen.length, few.frozen.length]).toEqual([
    Object.keys(few.before).length - 2,
    Object.keys(few.before).length - 2,
  ])
})

it('rejects the smallest weights with zero-and-keep, which would remove the largest', async () => {
  await expect(adapted({ chooses: 'smallest' })).rejects.toMatchObject({
    code: 'BAD_OPTIONS',
    problem: expect.stringContaining('freeze'),
  })
})
