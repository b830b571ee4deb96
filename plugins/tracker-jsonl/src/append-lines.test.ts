import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'

/** Bytes that still fit on the simulated disk. */
let room = Infinity
jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  writeSync(file: number, data: Buffer | string) {
    const bytes = Buffer.from(data as string)
    if (room === 0) throw new Error('ENOSPC: no space left on device, write')
    const written = fs.writeSync(file, bytes.subarray(0, Math.min(bytes.length, room)))
    room -= written
    return written
  },
}))
const { appendLines } = await import('./append-lines.js')

describe('appendLines on a disk that fills up', () => {
  let directory = ''
  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'attune-lines-'))
  })
  afterEach(() => fs.rmSync(directory, { recursive: true }))

  it('throws, and keeps a truncated line separate from later ones when there is space again', () => {
    const path = join(directory, 'lines')
    const lines = appendLines(path)
    lines.append('first')
    room = 3
    expect(() => lines.append('second')).toThrow('only 3 of 7 bytes')
    expect(() => lines.append('third')).toThrow('ENOSPC')
    room = Infinity
    lines.append('fourth')
    lines.append('fifth')
    lines.close()
    expect(fs.readFileSync(path, 'utf8')).toBe('first\nsec\nfourth\nfifth\n')
  })
})
