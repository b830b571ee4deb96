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
const problemOf = (error: unknown): string => {
  const made = writeFault(error, folder)
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
    (code) => expect(problemOf(fault(code))).toContain(code),
  )

  it('names cause and path of system errors', async () => {
    const long = join(folder, 'x'.repeat(300))
    expect(problemOf(await failing(open(long, 'w')))).toMatch(/longer than.*ENAMETOOLONG.*xxx/)
    expect(problemOf(await failing(mkdir(join(folder, 'file', 'below'))))).toMatch(/ENOTDIR.*below/)
    expect(problemOf(await failing(readFile(folder)))).toContain('EISDIR')
    expect(problemOf(await failing(rm(folder)))).toContain('EISDIR')
  })

  it('names the cause of a write to a full device', async () => {
    if (process.platform !== 'linux') return
    expect(problemOf(await failing(appendFile('/dev/full', 'x')))).toContain('ENOSPC')
  })

  it('returns other errors unchanged', () => {
    const others = [new Error('x'), new AttuneError('HUB_OFFLINE', 'a', 'b'), fault('ECONNRESET'), 'text', undefined]
    for (const other of others) expect(writeFault(other, folder)).toBe(other)
  })
})
