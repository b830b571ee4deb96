import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { openRegularFile, readRemedy, requireRegularFile } from './regular-file.js'

const folder = mkdtempSync(join(tmpdir(), 'attune-regular-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe.each([
  ['requireRegularFile', requireRegularFile],
  ['openRegularFile', (path: string) => closeSync(openRegularFile(path))],
])('%s', (_, read) => {
  it('accepts a file', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(read(join(folder, 'file'))).toBeUndefined()
  })

  it('rejects a folder, a pipe without a writer, and a device', () => {
    const pipe = join(folder, 'pipe')
    rmSync(pipe, { force: true })
    execFileSync('mkfifo', [pipe])
    expect(() => read(folder)).toThrow('it is a folder, not a file')
    expect(() => read(pipe)).toThrow('it is a pipe, not a file')
    expect(() => read('/dev/zero')).toThrow('it is a device, not a file')
  })

  it('throws the file system error for a missing file', () => {
    expect(() => read(join(folder, 'nothing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })
})

it('readRemedy returns its own remedy only if the file is not at fault', () => {
  expect(readRemedy(Object.assign(new Error('x'), { code: 'EMFILE' }), 'Check it.')).toContain('ulimit')
  expect(readRemedy(Object.assign(new Error('x'), { code: 'EACCES' }), 'Check it.')).toBe('Check it.')
  expect(readRemedy(new Error('x'), 'Check it.')).toBe('Check it.')
})
