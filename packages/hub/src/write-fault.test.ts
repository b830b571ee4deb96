import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { appendFile, mkdir, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { AttuneError, isAttuneError } from '@attune/core'
import { writeFault } from './write-fault.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-write-fault-'))
  writeFileSync(join(folder, 'file'), 'x')
})
afterAll(() => rmSync(folder, { recursive: true }))

const fault = (code: string): Error =>
  Object.assign(new Error(`${code}: as the system says`), { code, errno: -1, syscall: 'write' })
const problemOf = async (error: unknown, statistics?: object): Promise<string> => {
  const made = await writeFault(error, folder, statistics && (() => Promise.resolve(statistics as never)))
  if (!isAttuneError(made)) throw new Error(`not a user's error: ${String(made)}`)
  expect(made.code).toBe('CANNOT_WRITE')
  return made.problem
}
const failing = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('writeFault', () => {
  it.each(['EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'EIO', 'EFBIG', 'ENXIO', 'ELOOP', 'EBUSY'])(
    'names the cause of %s',
    async (code) => expect(await problemOf(fault(code))).toContain(code),
  )

  it('distinguishes a lack of bytes from a lack of inodes', async () => {
    const disk = { bavail: 3, bsize: 4096, files: 100, ffree: 7 }
    expect(await problemOf(fault('ENOSPC'), disk)).toContain('the disk is full: 12288 bytes are free')
    expect(await problemOf(fault('ENOSPC'), { ...disk, ffree: 0 })).toContain('no free inodes')
    expect(await problemOf(fault('ENOSPC'), { ...disk, files: 0, ffree: 0 })).toContain('the disk is full')
    expect(await problemOf(fault('ENOSPC'))).toContain('the disk is full')
  })

  it('names cause and path of errors that the system makes', async () => {
    const long = join(folder, 'x'.repeat(300))
    expect(await problemOf(await failing(open(long, 'w')))).toMatch(/longer than.*ENAMETOOLONG.*xxx/)
    expect(await problemOf(await failing(mkdir(join(folder, 'file', 'below'))))).toMatch(/ENOTDIR.*below/)
    expect(await problemOf(await failing(readFile(folder)))).toContain('EISDIR')
    expect(await problemOf(await failing(rm(folder)))).toContain('EISDIR')
  })

  it('names the cause of a write to a full device', async () => {
    if (process.platform !== 'linux') return
    expect(await problemOf(await failing(appendFile('/dev/full', 'x')))).toContain('ENOSPC')
  })

  it('returns other errors unchanged', async () => {
    const others = [new Error('x'), new AttuneError('HUB_OFFLINE', 'a', 'b'), fault('ECONNRESET'), 'text', undefined]
    for (const other of others) expect(await writeFault(other, folder)).toBe(other)
  })
})
