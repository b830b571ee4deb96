import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AttuneError, type Example, type Rejected, type RowCheck, type Source } from '@attune/core'
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
  it('stops at an invalid row with a short message of reason, excerpt and line', async () => {
    const source = fileSource({ path: 'data/train.x', onBadRow: 'stop', rows })
    expect(source.location).toBe('data/train.x')
    const error = await read(source).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'BAD_ROW',
      problem: expect.stringMatching(/^a row must be good, in "x+…" \(data\/train\.x:2\)$/),
    })
    expect(String(error).length).toBeLessThan(300)
  })

  it('has a fingerprint that depends only on the content of the file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-source-'))
    const [path, copy] = [join(folder, 'a.x'), join(folder, 'b.x')]
    const fingerprint = (at: string) => fileSource({ path: at, onBadRow: 'stop', rows }).fingerprint?.()
    writeFileSync(path, 'one')
    writeFileSync(copy, 'one')
    const first = await fingerprint(path)
    // SHA-256 of "one", as sha256sum prints it.
    expect(first).toBe('sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed')
    expect(await fingerprint(copy)).toBe(first)
    utimesSync(path, 1, 1)
    expect(await fingerprint(path)).toBe(first)
    writeFileSync(path, 'two')
    expect(await fingerprint(path)).not.toBe(first)
    await expect(fingerprint(join(folder, 'none.x'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    rmSync(folder, { recursive: true })
  })

  it('skips invalid rows and passes them on in full', async () => {
    const source = fileSource({ path: 'data/train.x', onBadRow: 'skip', rows })
    const rejected: Rejected[] = []
    expect(await read(source, (row) => rejected.push(row))).toEqual([{ n: 1 }, { n: 3, m: null }])
    expect(rejected).toEqual([bad])
    expect(await read(source)).toEqual([{ n: 1 }, { n: 3, m: null }])
  })

  it('rejects a row that lacks a required field, and suggests the nearest field', async () => {
    const rejected: Rejected[] = []
    const open = async (field: string) => {
      const source = fileSource({ path: 'data/train.x', onBadRow: 'skip', rows })
      const seen: Example[] = []
      for await (const row of source.open((row) => rejected.push(row), ['n', field])) seen.push(row)
      return seen
    }
    expect(await open('m')).toEqual([])
    const reason = 'expected a value in field "m"'
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
      problem: 'expected a value in field "nn"; similar fields: "n", in "1" (data/train.x:1)',
      remedy: expect.stringMatching(/^Did you mean "n"\?/),
    })
  })

  it('passes each row with its line to a check, and rejects the rows with a fault', async () => {
    const seen: unknown[] = []
    const check: RowCheck = (example, line) => {
      seen.push([example['n'], line])
      return line === 3 ? new AttuneError('MISSING_FIELD', `no m (:${line})`, 'Add m.') : undefined
    }
    const readWith = async (onBadRow: 'stop' | 'skip', rejected: Rejected[]) => {
      const examples: Example[] = []
      const source = fileSource({ path: 'data/train.x', onBadRow, rows: () => goodRows() })
      for await (const row of source.open((row) => rejected.push(row), ['n'], check)) examples.push(row)
      return examples
    }
    async function* goodRows() {
      for await (const some of rows()) yield some.filter((row) => !('reason' in row))
    }
    const rejected: Rejected[] = []
    expect(await readWith('skip', rejected)).toEqual([{ n: 1 }])
    expect(rejected).toEqual([{ line: 3, raw: '3', reason: 'no m (:3)' }])
    await expect(readWith('stop', [])).rejects.toMatchObject({ code: 'MISSING_FIELD', problem: 'no m (:3)' })
    expect(seen).toEqual([
      [1, 1],
      [3, 3],
      [1, 1],
      [3, 3],
    ])
  })
})
