import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { readWholeFile } from './read-file.js'

const folder = mkdtempSync(join(tmpdir(), 'attune-file-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('readWholeFile', () => {
  it('returns the bytes of a file, even of an empty one', () => {
    const path = join(folder, 'small')
    for (const content of ['', 'abc']) {
      writeFileSync(path, content)
      expect(readWholeFile(path, 10)?.toString()).toBe(content)
    }
    expect(() => readWholeFile(path, 2)).toThrow('3 bytes, more than the limit of 2')
  })

  it('reads a file of more than 2 GiB', () => {
    const path = join(folder, 'large')
    writeFileSync(path, '')
    truncateSync(path, 2 ** 31 + 10) // sparse: it takes no disk space
    writeSync(openSync(path, 'r+'), 'end', 2 ** 31 + 7)
    const bytes = readWholeFile(path, Infinity)
    expect([bytes?.length, bytes?.subarray(-3).toString()]).toEqual([2 ** 31 + 10, 'end'])
  })
})
