import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { writeFault } from './write-fault.js'

const path = join(tmpdir(), 'no-such-folder', 'file')

describe('writeFault', () => {
  it.each([
    ['ENOSPC', 'the disk is full'],
    ['EDQUOT', 'quota'],
    ['EROFS', 'mounted read-only'],
    ['EACCES', 'may not write'],
    ['ENAMETOOLONG', 'name is longer'],
    ['ENOTDIR', 'is a file, not a folder'],
    ['EFBIG', 'larger than the file system'],
    ['EIO', 'input/output error'],
  ])('names the cause of %s', (code, reason) => {
    const cause = Object.assign(new Error('raw'), { code })
    expect(writeFault(path, cause, 'Do this.')).toMatchObject({
      code: 'CANNOT_WRITE',
      problem: expect.stringMatching(new RegExp(`file could not be written: .*${reason}`)),
      remedy: 'Do this.',
      cause,
    })
  })

  it('gives the message of an error that it does not know', () => {
    expect(writeFault(path, new Error('bad luck'), 'Do this.').problem).toContain('bad luck')
  })
})
