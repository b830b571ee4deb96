import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { digest, writeFolderAtomically } from './write-atomically.js'

const folder = mkdtempSync(join(tmpdir(), 'attune-folder-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function* parts(count: number, fails = false): AsyncGenerator<Uint8Array, void> {
  for (let i = 0; i < count; i++) yield await Promise.resolve(Uint8Array.of(i, i + 1))
  if (fails) throw new Error('no more')
}

describe('writeFolderAtomically', () => {
  it('writes bytes, text and parts, and passes the digests of earlier files to functions', async () => {
    const path = join(folder, 'written')
    await writeFolderAtomically(path, {
      bytes: Uint8Array.of(1),
      parts: () => parts(3),
      'digests.json': (digests) => JSON.stringify(digests),
    })
    expect([...readFileSync(join(path, 'parts'))]).toEqual([0, 1, 1, 2, 2, 3])
    expect(JSON.parse(readFileSync(join(path, 'digests.json'), 'utf8'))).toEqual({
      bytes: digest(Uint8Array.of(1)),
      parts: digest(Uint8Array.of(0, 1, 1, 2, 2, 3)),
    })
  })

  it('keeps the previous folder if the parts throw', async () => {
    const path = join(folder, 'kept')
    await writeFolderAtomically(path, { name: 'before' })
    await expect(writeFolderAtomically(path, { name: () => parts(2, true) })).rejects.toThrow('no more')
    expect(readFileSync(join(path, 'name'), 'utf8')).toBe('before')
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([])
  })
})
