import { describe, expect, it } from '@jest/globals'
import { type Encoded, type HostArray, type Objective, key } from '@attune/core'
import { fieldHash } from '@attune/data'
import { countBatches, encodeRows, epochBatches } from './batches.js'

interface Item extends Encoded {
  readonly id: number
}

/** An objective whose batch is the ids of its items. */
const objective = {
  collate: (items: readonly Item[]) => ({
    inputs: {},
    ids: { shape: [items.length], dtype: 'int32', values: Int32Array.from(items, ({ id }) => id) },
  }),
} as unknown as Objective

const items = (count: number, change: (id: number) => Partial<Item> = () => ({})): Item[] =>
  Array.from({ length: count }, (_, id) => ({ id, length: 1 + ((id * 7) % 13), truncated: false, ...change(id) }))

async function* from<T>(values: Iterable<T>): AsyncGenerator<T, void> {
  for (const value of values) yield await Promise.resolve(value)
}

const how = { key: key(1), done: 0, batchSize: 4, microBatchSize: 2, shuffleBuffer: 16 }

async function batchesOf(given: readonly Item[], options: object = {}): Promise<number[][]> {
  const batches: number[][] = []
  for await (const { parts } of epochBatches(from(given), objective, { ...how, ...options }))
    batches.push(parts.flatMap(({ ids }) => [...(ids as HostArray).values]))
  return batches
}

describe('epochBatches', () => {
  it('follows the order of a sampler, bucketed by length unless the sampler forms batches', async () => {
    const given = items(10)
    expect(await batchesOf(given, { sampled: { batches: true } })).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ])
    const many = items(300)
    const bucketed = await batchesOf(many, { sampled: { batches: false } })
    // 32 batches are bucketed together, so the first 128 examples come first.
    expect(
      bucketed
        .slice(0, 32)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual(many.slice(0, 128).map(({ id }) => id))
    expect(bucketed).not.toEqual(await batchesOf(many))
  })

  it.each([undefined, { batches: false }, { batches: true }])(
    'yields batches of one group each, as many as countBatches returns, with sampler %j',
    async (sampled) => {
      const given = items(300, (id) => ({ group: `${id % 5 === 0 ? 'rare' : id % 2}` }))
      const batches = await batchesOf(given, { sampled })
      for (const batch of batches) expect(new Set(batch.map((id) => given[id]!.group)).size).toBe(1)
      expect(batches.flat().sort((a, b) => a - b)).toEqual(given.map(({ id }) => id))
      expect(await countBatches(() => from(given), 300, 4)).toBe(batches.length)
      expect(batches.length).toBe(Math.ceil(60 / 4) + 2 * Math.ceil(120 / 4))
    },
  )

  it('yields consecutive examples of any group as batches if the sampler mixes groups', async () => {
    const given = items(10, (id) => ({ group: `${id % 3}` }))
    const batches = await batchesOf(given, { sampled: { batches: 'mixed' } })
    expect(batches).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ])
    expect(await countBatches(() => from(given), 10, 4, true)).toBe(batches.length)
  })

  it('reads at most one example to count batches without groups', async () => {
    let read = 0
    const counted = async function* () {
      for (const item of items(100)) {
        read++
        yield await Promise.resolve(item)
      }
    }
    expect(await countBatches(counted, 41, 4)).toBe(11)
    expect(read).toBe(1)
  })

  it('carries hashed fields of the examples into micro-batches, and omits them if none are kept', async () => {
    const rows = Array.from({ length: 5 }, (_, id) => ({ example: { id, group: `g${id % 2}` } }))
    const encode = ({ id }: { id?: unknown }): Item => ({ id: id as number, length: 1, truncated: false })
    const { items: kept } = encodeRows(from(rows), encode, ['group'])
    const seen: [number, number][] = []
    for await (const { parts } of epochBatches(kept, objective, how))
      for (const { ids, fields } of parts) {
        const { values, dtype, shape } = (fields as Record<string, HostArray>)['group']!
        expect([dtype, shape]).toEqual(['int32', (ids as HostArray).shape])
        ;(ids as HostArray).values.forEach((id, i) => seen.push([id, values[i]!]))
      }
    expect(seen.sort(([a], [b]) => a - b)).toEqual([0, 1, 2, 3, 4].map((id) => [id, fieldHash(`g${id % 2}`)]))
    for await (const { parts } of epochBatches(from(items(5)), objective, how))
      for (const part of parts) expect(part).not.toHaveProperty('fields')
  })

  it('rejects an example without a field to keep', async () => {
    const encode = (): Item => ({ id: 0, length: 1, truncated: false })
    const { items: kept } = encodeRows(from([{ example: { id: 0 } }]), encode, ['group'])
    await expect(epochBatches(kept, objective, how).next()).rejects.toMatchObject({ code: 'MISSING_FIELD' })
  })

  it('carries example weights into micro-batches, and omits them for unweighted examples', async () => {
    const rows = Array.from({ length: 5 }, (_, id) => ({ example: { id }, weight: id / 2 }))
    const encode = ({ id }: { id?: unknown }): Item => ({ id: id as number, length: 1, truncated: false })
    const { items: weighted } = encodeRows(from(rows), encode)
    const seen: [number, number][] = []
    for await (const { parts } of epochBatches(weighted, objective, how))
      for (const { ids, exampleWeights } of parts) {
        const { values, dtype, shape } = exampleWeights as HostArray
        expect([dtype, shape]).toEqual(['float32', (ids as HostArray).shape])
        ;(ids as HostArray).values.forEach((id, i) => seen.push([id, values[i]!]))
      }
    expect(seen.sort(([a], [b]) => a - b)).toEqual([0, 1, 2, 3, 4].map((id) => [id, id / 2]))
    for await (const { parts } of epochBatches(from(items(5)), objective, how))
      for (const part of parts) expect(part).not.toHaveProperty('exampleWeights')
  })
})
