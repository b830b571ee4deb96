import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { readJsonObject } from './read-json.js'

const folder = mkdtempSync(join(tmpdir(), 'attune-json-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'file.json')
const read = (content: string | Uint8Array, maximumBytes = 1000): unknown => {
  writeFileSync(path, content)
  return readJsonObject(path, maximumBytes, (why) => new Error(why))
}

describe('readJsonObject', () => {
  it('returns the object of a file, and undefined for a missing file', () => {
    expect(read('{"a":[1,"é"]}')).toEqual({ a: [1, 'é'] })
    expect(readJsonObject(join(folder, 'none'), 10, (why) => new Error(why))).toBeUndefined()
    expect(readJsonObject(join(path, 'inside'), 10, (why) => new Error(why))).toBeUndefined()
  })

  it.each([
    ['text that is not JSON', '{', /JSON/],
    ['an array', '[1]', /not a JSON object/],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), /not valid/],
    ['more bytes than allowed', `{"a":"${'x'.repeat(1000)}"}`, /1008 bytes, more than the limit of 1000/],
    ['deep nesting', '['.repeat(500), /nested/],
  ])('rejects %s', (_, content, why) => expect(() => read(content)).toThrow(why))

  it('rejects a folder, and a pipe without waiting for it', () => {
    const [inside, pipe] = [join(folder, 'folder'), join(folder, 'pipe')]
    mkdirSync(inside)
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
    for (const other of [inside, pipe])
      expect(() => readJsonObject(other, 10, (why) => new Error(why))).toThrow(
        /it is a (folder|pipe|device), not a file/,
      )
  })
})
