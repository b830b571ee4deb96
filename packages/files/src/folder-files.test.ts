import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Files } from '@attune/core'
import { folderFiles } from './folder-files.js'
import { type DirectoryHandle, opfsFiles } from './opfs.js'

const root = mkdtempSync(join(tmpdir(), 'attune-files-'))
afterAll(() => rmSync(root, { recursive: true }))

/** An in-memory folder of an origin private file system. */
function memoryHandle(): DirectoryHandle {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>()
  return {
    async getFileHandle(name, { create = false } = {}) {
      if (!contents.has(name) && !create) throw Object.assign(new Error('absent'), { name: 'NotFoundError' })
      const parts: Uint8Array[] = []
      return {
        getFile: async () => ({ arrayBuffer: async () => contents.get(name)!.slice().buffer }),
        createWritable: async () => ({
          write: async (part) => void parts.push(typeof part === 'string' ? new TextEncoder().encode(part) : part),
          close: async () => void contents.set(name, Uint8Array.from(parts.flatMap((part) => [...part]))),
        }),
      }
    },
    async *entries() {
      for (const name of contents.keys()) yield [name, { kind: 'file' }]
      yield ['folder', { kind: 'directory' }]
    },
  }
}

const STORAGES: [string, () => Files][] = [
  ['folderFiles', () => folderFiles(join(root, 'new'))],
  ['opfsFiles', () => opfsFiles(memoryHandle())],
]

describe.each(STORAGES)('%s', (_, open) => {
  it('reads back written files and lists them by name', async () => {
    const files = open()
    expect(await files.list()).toEqual([])
    await files.write('config.json', '{"a":"ü"}')
    await files.write('a.bin', Uint8Array.of(1, 0, 255))
    await files.write('config.json', '{}')
    expect(await files.list()).toEqual(['a.bin', 'config.json'])
    expect(new TextDecoder().decode(await files.read('config.json'))).toBe('{}')
    expect([...(await files.read('a.bin'))]).toEqual([1, 0, 255])
  })

  it('rejects a missing file and names that lead outside the folder', async () => {
    const files = open()
    await files.write('here', 'x')
    await expect(files.read('there')).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      remedy: expect.stringContaining('here'),
    })
    for (const name of ['', '.', '..', '../x', 'a/b', 'a\\b', 'a\0'])
      for (const attempt of [() => files.read(name), () => files.write(name, '')])
        await expect(attempt()).rejects.toMatchObject({ code: 'BAD_FILE_NAME' })
  })
})

describe('folderFiles', () => {
  it('ignores subfolders and rejects a file above the size limit', async () => {
    const folder = join(root, 'other')
    mkdirSync(join(folder, 'inner'), { recursive: true })
    const files = folderFiles(folder, 3)
    await files.write('four', '1234')
    expect(await files.list()).toEqual(['four'])
    expect(readFileSync(join(folder, 'four'), 'utf8')).toBe('1234')
    await expect(files.read('four')).rejects.toMatchObject({ code: 'FILE_NOT_READABLE' })
  })
})
