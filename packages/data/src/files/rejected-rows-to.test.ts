import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { rejectedRowsTo } from './rejected-rows-to.js'

let folder = ''
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'attune-rejects-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const row = (line: number) => ({ line, reason: 'a row must be good', raw: `"odd"\n\uD800 ${line}` })
const rowsIn = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as unknown)

describe('rejectedRowsTo', () => {
  it('creates no file until a row is rejected', () => {
    const rejects = rejectedRowsTo(join(folder, 'rejects.jsonl'))
    expect([rejects.count(), rejects.path(), readdirSync(folder)]).toEqual([0, undefined, []])
  })

  it('records rows unchanged, counts them, and creates missing folders', () => {
    const path = join(folder, 'run/data/rejects.jsonl')
    const rejects = rejectedRowsTo(path)
    ;[3, 5, 4].forEach((line) => rejects.reject(row(line)))
    expect([rejects.count(), rejects.path()]).toEqual([3, path])
    expect(rowsIn(path)).toEqual([row(3), row(5), row(4)])
  })

  it('records a line only once, even if the data are read several times', () => {
    const rejects = rejectedRowsTo(join(folder, 'rejects.jsonl'))
    for (let epoch = 0; epoch < 3; epoch++) [1, 9].forEach((line) => rejects.reject(row(line)))
    expect([rejects.count(), rowsIn(join(folder, 'rejects.jsonl')).length]).toEqual([2, 2])
  })

  it('does not touch the files of other runs', () => {
    const path = join(folder, 'rejects.jsonl')
    writeFileSync(path, 'of another run')
    const written = [1, 2].map(() => {
      const rejects = rejectedRowsTo(path)
      rejects.reject(row(1))
      return rejects.path()
    })
    expect(written).toEqual([join(folder, 'rejects.2.jsonl'), join(folder, 'rejects.3.jsonl')])
    expect(readFileSync(path, 'utf8')).toBe('of another run')
    expect(existsSync(join(folder, 'rejects.4.jsonl'))).toBe(false)
  })

  it('throws if it cannot write', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => rejectedRowsTo(join(folder, 'file/rejects.jsonl')).reject(row(1))).toThrow(
      expect.objectContaining({ code: 'REJECTS_NOT_WRITTEN' }),
    )
  })

  it('records the first 100,000 rows and counts all', async () => {
    const path = join(folder, 'rejects.jsonl')
    const rejects = rejectedRowsTo(path)
    for (let line = 1; line <= 100_500; line++) rejects.reject({ line, reason: 'bad', raw: '' })
    await Promise.resolve()
    rejects.reject({ line: 7, reason: 'again', raw: '' })
    const rows = rowsIn(path)
    expect([rejects.count(), rows.length]).toEqual([100_500, 100_001])
    expect(rows.at(-1)).toMatchObject({ line: 100_001, reason: expect.stringContaining('only counted') })
  })

  it('closes its file before the next await', async () => {
    const open = (): number => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)
    const before = open()
    for (let i = 0; i < 20; i++) {
      rejectedRowsTo(join(folder, `${i}.jsonl`)).reject(row(1))
      await Promise.resolve()
    }
    expect(open()).toBeLessThan(before + 5)
  })

  it('skips a name that is taken by a broken link', () => {
    symlinkSync(join(folder, 'nowhere'), join(folder, 'rejects.jsonl'))
    const rejects = rejectedRowsTo(join(folder, 'rejects.jsonl'))
    rejects.reject(row(1))
    expect(rejects.path()).toBe(join(folder, 'rejects.2.jsonl'))
  })
})
