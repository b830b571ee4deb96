import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { digest, writeLinesAtomically } from './write-atomically.js'

const folder = mkdtempSync(join(tmpdir(), 'attune-lines-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function* lines(count: number, fails = false): AsyncGenerator<string, void> {
  for (let i = 0; i < count; i++) yield await Promise.resolve(`line ${i} ${'ü'.repeat(i % 300)}`)
  if (fails) throw new Error('no more')
}

describe('writeLinesAtomically', () => {
  it('creates the folder, writes all lines, and returns their digest and size', async () => {
    const path = join(folder, 'a', 'b', 'lines')
    const { sha256, bytes } = await writeLinesAtomically(path, lines(5000))
    const written = readFileSync(path)
    expect([sha256, bytes]).toEqual([digest(written), written.length])
    expect(written.toString('utf8').split('\n')).toHaveLength(5001)
    expect(bytes).toBeGreaterThan(2 ** 20)
  })

  it('keeps the previous file and leaves no temporary one if the lines throw', async () => {
    const path = join(folder, 'kept')
    writeFileSync(path, 'before')
    await expect(writeLinesAtomically(path, lines(2000, true))).rejects.toThrow('no more')
    expect(readFileSync(path, 'utf8')).toBe('before')
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([])
  })

  it('throws CANNOT_WRITE if the folder cannot be created', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    chmodSync(file, 0o600)
    await expect(writeLinesAtomically(join(file, 'x', 'y'), lines(1))).rejects.toMatchObject({ code: 'CANNOT_WRITE' })
  })
})
