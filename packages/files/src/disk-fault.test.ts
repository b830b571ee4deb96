import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { diskFault } from './disk-fault.js'
import { writeFault } from './write-fault.js'

const path = join(tmpdir(), 'no-such-folder', 'file')
const errorOf = (code: string) => Object.assign(new Error('raw'), { code, errno: -1, syscall: 'write' })
const disk = (ffree: number, files = 100) => ({ bavail: 5, bsize: 4096, files, ffree })

describe('diskFault', () => {
  it.each([
    ['EDQUOT', 'quota'],
    ['EROFS', 'mounted read-only'],
    ['EACCES', 'no write permission'],
    ['ENAMETOOLONG', 'longer than the file system allows'],
    ['ENOTDIR', 'expected a folder, found a file'],
    ['EMFILE', 'too many files are open in this process'],
    ['EFBIG', 'larger than the file system'],
    ['EIO', 'input/output error'],
    ['EWEIRD', 'raw'],
  ])('names the cause of %s', (code, cause) => expect(diskFault(errorOf(code), path)).toContain(cause))

  it('distinguishes a full disk from one without free inodes', () => {
    expect(diskFault(errorOf('ENOSPC'), path, () => disk(7))).toBe('the disk is full: 20480 bytes are free')
    expect(diskFault(errorOf('ENOSPC'), path, () => disk(0))).toContain('no free inodes')
    expect(diskFault(errorOf('ENOSPC'), path, () => disk(0, 0))).toContain('the disk is full')
    const failing = (): never => {
      throw new Error('no statistics')
    }
    expect(diskFault(errorOf('ENOSPC'), path, failing)).toBe('the disk is full')
  })

  it('checks the nearest existing folder', () => {
    let asked = ''
    diskFault(errorOf('ENOSPC'), path, (at) => ((asked = at), disk(1)))
    expect(asked).toBe(tmpdir())
  })

  it.each([new Error('mine'), errorOf('ECONNRESET'), undefined, 'text'])('returns undefined for %p', (error) =>
    expect(diskFault(error, path)).toBeUndefined(),
  )
})

describe('writeFault', () => {
  it('names the path and the cause', () => {
    const cause = errorOf('EROFS')
    expect(writeFault(path, cause, 'Do this.')).toMatchObject({
      code: 'CANNOT_WRITE',
      problem: `${path} could not be written: the file system is mounted read-only`,
      remedy: 'Do this.',
      cause,
    })
    expect(writeFault(path, new Error('bad luck'), 'Do this.').problem).toContain('bad luck')
  })
})
