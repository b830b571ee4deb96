import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { type Row, pickedRows } from './rows.js'
import { dataFolder, openStore } from './store.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-store-'))
afterAll(() => rmSync(temporary, { recursive: true }))
let folders = 0
const folder = (): string => join(temporary, String(folders++))

async function* from(rows: readonly Row[]): AsyncGenerator<Row, void> {
  for (const row of rows) yield await Promise.resolve(row)
}
async function listed(rows: AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = []
  for await (const row of rows) all.push(row)
  return all
}
const facts = () => ({ examplesIn: 3, examplesOut: 3, rejected: 0, seconds: 1 })

const rows: Row[] = [
  { example: { text: 'line\nbreak \ud800 ü \u2028', nested: [{ a: null }], __proto__: 1 } },
  { example: { text: '' }, weight: 0.5 },
  { example: { text: 'x'.repeat(300_000), '0': true }, weight: 0 },
]

describe('openStore', () => {
  it('reads written rows back unchanged, in any order', async () => {
    const store = openStore(folder())
    await store.write('a', from(rows), facts)
    const stage = await store.open('a')
    expect(stage?.facts).toEqual(facts())
    expect(await listed(stage!.rows.all())).toEqual(rows)
    expect(await listed(stage!.rows.pick([2, 0, 0, 1]))).toEqual([rows[2], rows[0], rows[0], rows[1]])
    expect(await listed(stage!.rows.pick([]))).toEqual([])
    const picked = pickedRows(stage!.rows, [1, 1, 2], [2, 4, 8])
    expect((await listed(picked.all())).map(({ weight }) => weight)).toEqual([1, 2, 0])
    expect((await listed(picked.pick([2, 0]))).map(({ weight }) => weight)).toEqual([0, 1])
  })

  it('stores a stage without rows', async () => {
    const store = openStore(folder())
    const stage = await store.write('a', from([]), facts)
    expect([stage!.rows.count, await listed(stage!.rows.all())]).toEqual([0, []])
  })

  it.each([
    ['a date', new Date(0)],
    ['a non-finite number', Number.NaN],
    ['a typed array', new Float32Array(2)],
    ['a bigint', 1n],
    ['undefined in a list', [undefined]],
  ])('does not store a stage with %s in an example', async (_, value) => {
    const at = folder()
    const store = openStore(at)
    expect(await store.write('a', from([...rows, { example: { value } }]), facts)).toBeUndefined()
    expect([existsSync(store.path('a')), await store.open('a')]).toEqual([false, undefined])
  })

  it('treats damaged stages as missing', async () => {
    const store = openStore(folder())
    await store.write('a', from(rows), facts)
    const path = store.path('a')
    const record = path.replace(/l$/, '')
    const [whole, sealed] = [readFileSync(path), readFileSync(record, 'utf8')]
    for (const [file, content] of [
      [path, whole.subarray(1)],
      [path, Buffer.concat([whole, whole])],
      [record, '{'],
      [record, sealed.replace('"examplesOut":3', '"examplesOut":4')],
      [record, '[]'],
    ] as const) {
      writeFileSync(file, content)
      expect(await store.open('a')).toBeUndefined()
      await store.write('a', from(rows), facts)
      expect(await store.open('a')).toBeDefined()
    }
    rmSync(path)
    expect(await store.open('a')).toBeUndefined()
  })

  it('evicts the least recently used stages beyond its size, except those used within a day', async () => {
    const store = openStore(folder(), 700_000)
    for (const id of ['a', 'b', 'c', 'd']) await store.write(id, from(rows), facts)
    expect(['a', 'b', 'c', 'd'].map((id) => existsSync(store.path(id)))).toEqual([true, true, true, true])
    const old = (id: string, days: number): void => utimesSync(store.path(id), 0, Date.now() / 1000 - 86_400 * days)
    old('a', 2)
    old('b', 3)
    old('c', 4)
    await store.open('b') // used again
    await store.write('e', from(rows), facts)
    const left = ['a', 'b', 'c', 'd', 'e'].filter((id) => existsSync(store.path(id)))
    expect(left).toEqual(['b', 'd', 'e'])
    expect(store.facts('a')).toBeUndefined()
  })

  it('uses the cache folder set by the environment', () => {
    expect(dataFolder({ ATTUNE_CACHE: '/cache' })).toBe('/cache/data')
    expect(dataFolder({ XDG_CACHE_HOME: '/home/x/caches' })).toBe('/home/x/caches/attune/data')
    expect(dataFolder({})).toMatch(/\.cache\/attune\/data$/)
  })
})
