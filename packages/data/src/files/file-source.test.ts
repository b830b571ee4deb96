import { type Example, type Rejected, type Source } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { fileSource } from './file-source.js'

const bad: Rejected = { line: 2, reason: 'a row must be good', raw: 'x'.repeat(500) }

async function* rows() {
  yield await Promise.resolve([{ example: { n: 1 }, line: 1, raw: '1' }, bad])
  yield await Promise.resolve([{ example: { n: 3, m: null }, line: 3, raw: '3' }])
}

async function read(source: Source, reject?: (row: Rejected) => void): Promise<Example[]> {
  const seen: Example[] = []
  for await (const row of source.open(reject)) seen.push(row)
  return seen
}

describe('fileSource', () => {
  it('stops at a bad row and says what, which and where, in few words', async () => {
    const source = fileSource({ path: 'data/train.x', onBadRow: 'stop', rows })
    expect(source.location).toBe('data/train.x')
    const error = await read(source).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'BAD_ROW',
      problem: expect.stringMatching(/^a row must be good, in "x+…" \(data\/train\.x:2\)$/),
    })
    expect(String(error).length).toBeLessThan(300)
  })

  it('skips bad rows, whole, to whoever opened it', async () => {
    const source = fileSource({ path: 'data/train.x', onBadRow: 'skip', rows })
    const rejected: Rejected[] = []
    expect(await read(source, (row) => rejected.push(row))).toEqual([{ n: 1 }, { n: 3, m: null }])
    expect(rejected).toEqual([bad])
    expect(await read(source)).toEqual([{ n: 1 }, { n: 3, m: null }])
  })

  it('takes a row as bad that has nothing under a field that is needed, and names what is like it', async () => {
    const rejected: Rejected[] = []
    const open = async (field: string) => {
      const source = fileSource({ path: 'data/train.x', onBadRow: 'skip', rows })
      const seen: Example[] = []
      for await (const row of source.open((row) => rejected.push(row), ['n', field])) seen.push(row)
      return seen
    }
    expect(await open('m')).toEqual([])
    const reason = 'a row must have something under "m"'
    expect(rejected).toEqual([
      { line: 1, raw: '1', reason: expect.stringContaining(reason) },
      bad,
      { line: 3, raw: '3', reason: expect.stringContaining(reason) },
    ])
    await open('toString')
    expect(rejected).toHaveLength(6)
    const strict = fileSource({ path: 'data/train.x', onBadRow: 'stop', rows }).open(undefined, ['nn'])
    await expect(strict[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'BAD_ROW',
      problem: 'a row must have something under "nn"; it has "n", in "1" (data/train.x:1)',
    })
  })
})
