import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync, ftruncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { HostArray } from '@attune/core'
import { encodeSafetensors } from '../safetensors.js'
import { openWeights } from './open-weights.js'

const root = mkdtempSync(join(tmpdir(), 'attune-weights-'))
afterAll(() => rmSync(root, { recursive: true }))

let made = 0
/** A new folder with these files. */
function folder(files: Readonly<Record<string, Uint8Array | string>>): string {
  const path = join(root, String(made++))
  mkdirSync(path)
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
  return path
}
const floats = (...values: number[]): HostArray => ({
  shape: [values.length],
  dtype: 'float32',
  values: Float32Array.from(values),
})
const shard = (tensors: Record<string, HostArray>): Uint8Array => encodeSafetensors(tensors)
const index = (map: Record<string, unknown>): string => JSON.stringify({ metadata: { total_size: 8 }, weight_map: map })
const refused = (code: string, problem = '') =>
  expect.objectContaining({ code, problem: expect.stringContaining(problem) })

describe('openWeights', () => {
  it('opens a file, or the one in a folder, and reads each tensor when it is asked for', () => {
    const path = folder({ 'model.safetensors': shard({ a: floats(1, 2), b: floats(3) }), 'x.gguf': 'not looked at' })
    for (const where of [path, join(path, 'model.safetensors')]) {
      const reader = openWeights(where)
      expect([...reader.tensors.keys()]).toEqual(['a', 'b'])
      expect(reader.tensors.get('a')).toMatchObject({ dtype: 'F32', shape: [2] })
      expect(reader.read('b')).toEqual(floats(3))
      expect(() => reader.read('c')).toThrow(refused('MISSING_PARAMETER'))
      reader.close()
    }
  })

  it('opens a checkpoint in several files by its index', () => {
    const path = folder({
      'model-00001-of-00002.safetensors': shard({ a: floats(1, 2) }),
      'model-00002-of-00002.safetensors': shard({ b: floats(3), c: floats(4) }),
      'model.safetensors.index.json': index({
        a: 'model-00001-of-00002.safetensors',
        b: 'model-00002-of-00002.safetensors',
        c: 'model-00002-of-00002.safetensors',
      }),
    })
    const reader = openWeights(path)
    expect([...reader.tensors.keys()].sort()).toEqual(['a', 'b', 'c'])
    expect([reader.read('c'), reader.read('a')]).toEqual([floats(4), floats(1, 2)])
    reader.close()
  })

  it.each([
    ['a file above its folder', { a: '../model.safetensors' }, 'which is no safetensors file of its folder'],
    ['an absolute path', { a: '/etc/passwd' }, 'which is no safetensors file'],
    ['a file in another folder', { a: 'x\\y.safetensors' }, 'which is no safetensors file'],
    ['a pickle', { a: 'pytorch_model.bin' }, 'which is no safetensors file'],
    ['a number', { a: 3 }, 'what is no text'],
    ['nothing', {}, 'is empty'],
    ['a tensor that its file lacks', { b: 'one.safetensors' }, '"b"'],
  ])('refuses an index that names %s', (_, map, problem) => {
    const path = folder({ 'one.safetensors': shard({ a: floats(1) }), 'model.safetensors.index.json': index(map) })
    expect(() => openWeights(path)).toThrow(refused('BAD_WEIGHTS_INDEX', problem))
  })

  it('refuses an index that is not JSON, and one of a file that is not there', () => {
    expect(() => openWeights(folder({ 'model.safetensors.index.json': '{' }))).toThrow(refused('BAD_WEIGHTS_INDEX'))
    const path = folder({ 'model.safetensors.index.json': index({ a: 'gone.safetensors' }) })
    expect(() => openWeights(path)).toThrow(refused('FILE_NOT_FOUND', 'gone.safetensors'))
  })

  it('refuses a pickle with the reason and the line that converts it', () => {
    const path = folder({ 'pytorch_model.bin': 'x', 'training_args.bin': 'y' })
    for (const where of [path, join(path, 'pytorch_model.bin')])
      expect(() => openWeights(where)).toThrow(
        expect.objectContaining({
          code: 'PICKLED_WEIGHTS',
          problem: expect.stringContaining('can run any program'),
          remedy: expect.stringMatching(/weights_only=True.*model\.safetensors" ".*pytorch_model\.bin"$/),
        }),
      )
  })

  it('says what is in a folder without weights, and which of several GGUF files there are', () => {
    expect(() => openWeights(folder({ 'notes.txt': '' }))).toThrow(refused('NO_WEIGHTS_FILE', 'notes.txt'))
    expect(() => openWeights(folder({ 'a.gguf': '', 'b.gguf': '' }))).toThrow(
      refused('NO_WEIGHTS_FILE', 'a.gguf, b.gguf'),
    )
    expect(() => openWeights(join(root, 'nowhere'))).toThrow(refused('FILE_NOT_FOUND', 'nowhere'))
  })

  /** A file whose data are a hole, which takes no room on the disk, up to the bytes at its end. */
  function sparse(name: string, header: object, size: number, end: Uint8Array): string {
    const json = Buffer.from(JSON.stringify(header))
    const path = join(root, name)
    const file = openSync(path, 'w')
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(json.length))
    writeSync(file, Buffer.concat([length, json]), 0, 8 + json.length, 0)
    ftruncateSync(file, 8 + json.length + size)
    writeSync(file, end, 0, end.length, 8 + json.length + size - end.length)
    closeSync(file)
    return path
  }

  it('reads a tensor beyond the first 4 GiB of a file, and nothing but it', () => {
    const [before, bytes] = [5 * 2 ** 30, 12]
    const header = {
      large: { dtype: 'U8', shape: [before], data_offsets: [0, before] },
      small: { dtype: 'F32', shape: [3], data_offsets: [before, before + bytes] },
    }
    const end = new Uint8Array(Float32Array.of(1.5, -2, 3).buffer)
    const held = process.memoryUsage().rss
    const reader = openWeights(sparse('large.safetensors', header, before + bytes, end))
    expect([...reader.read('small').values]).toEqual([1.5, -2, 3])
    reader.close()
    expect(process.memoryUsage().rss - held).toBeLessThan(200e6)
  })

  it('holds one tensor at a time, and of what it decodes only a piece beside it', () => {
    const [count, bytes] = [16, 32 * 2 ** 20]
    const header = Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `half ${i}`,
        { dtype: 'F16', shape: [bytes / 2], data_offsets: [i * bytes, (i + 1) * bytes] },
      ]),
    )
    const path = sparse('halves.safetensors', header, count * bytes, Uint8Array.of(0, 0x3c))
    const program = `
      const { openWeights } = await import('./dist/weights/open-weights.js')
      const before = process.resourceUsage().maxRSS
      const reader = openWeights(process.argv[1])
      let last
      for (const name of reader.tensors.keys()) { last = undefined; gc(); last = reader.read(name).values.at(-1) }
      console.log(JSON.stringify({ last, megabytes: (process.resourceUsage().maxRSS - before) / 1024 }))`
    const node = ['--expose-gc', '--input-type=module', '-e', program, path]
    const { last, megabytes } = JSON.parse(execFileSync(process.execPath, node, { encoding: 'utf8' })) as {
      last: number
      megabytes: number
    }
    expect(last).toBe(1)
    // 1 GiB of float32 in all, 64 MiB a tensor; the one before may not have been given back to the system yet.
    expect(megabytes).toBeGreaterThan(60)
    expect(megabytes).toBeLessThan(200)
  })
})
