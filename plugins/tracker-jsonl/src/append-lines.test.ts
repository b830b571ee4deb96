import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { appendLines } from './append-lines.js'

/** Limits the simulated disk to a number of bytes: writing is short, then fails. */
function limitTo(bytes: number): void {
  const write = fs.writeSync
  let room = bytes
  jest.spyOn(fs, 'writeSync').mockImplementation((file, data) => {
    if (room === 0) throw new Error('ENOSPC: no space left on device, write')
    const written = write(file, Buffer.from(data as string).subarray(0, room))
    room -= written
    return written
  })
  syncBuiltinESMExports()
}
function unlimited(): void {
  jest.restoreAllMocks()
  syncBuiltinESMExports()
}

describe('appendLines on a disk that fills up', () => {
  let directory = ''
  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'attune-lines-'))
  })
  afterEach(() => {
    unlimited()
    fs.rmSync(directory, { recursive: true })
  })

  it('throws, and keeps a truncated line separate from later ones when there is space again', () => {
    const path = join(directory, 'lines')
    const lines = appendLines(path)
    lines.append('first')
    limitTo(3)
    expect(() => lines.append('second')).toThrow('only 3 of 7 bytes')
    expect(() => lines.append('third')).toThrow('ENOSPC')
    unlimited()
    lines.append('fourth')
    lines.append('fifth')
    lines.close()
    expect(fs.readFileSync(path, 'utf8')).toBe('first\nsec\nfourth\nfifth\n')
  })
})
