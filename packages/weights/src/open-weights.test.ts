import { execFileSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { HostArray } from '@attune/core'
import { encodeSafetensors } from './safetensors.js'
import { openWeights } from './open-weights.js'

const root = mkdtempSync(join(tmpdir(), 'attune-weights-'))
afterAll(() => rmSync(root, { recursive: true }))

let folders = 0
/** Creates a new folder with these files. */
function folder(files: Readonly<Record<string, Uint8Array | string>>): string {
  const path = join(root, String(folders++))
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
const rejection = (code: string, problem = '') =>
  expect.objectContaining({ code, problem: expect.stringContaining(problem) })

describe('openWeights', () => {
  it('opens a file or the one in a folder, and reads tensors on request', () => {
    const path = folder({ 'model.safetensors': shard({ a: floats(1, 2), b: floats(3) }), 'x.gguf': 'ignored' })
    for (const where of [path, join(path, 'model.safetensors')]) {
      const reader = openWeights(where)
      expect([...reader.tensors.keys()]).toEqual(['a', 'b'])
      expect(reader.tensors.get('a')).toMatchObject({ dtype: 'F32', shape: [2] })
      expect(reader.read('b')).toEqual(floats(3))
      expect(() => reader.read('c')).toThrow(rejection('MISSING_PARAMETER'))
      reader.close()
    }
  })

  it('opens a sharded checkpoint by its index', () => {
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
    ['a file above its folder', { a: '../model.safetensors' }, 'expected a safetensors file in the same folder'],
    ['an absolute path', { a: '/etc/passwd' }, 'expected a safetensors file'],
    ['a file in another folder', { a: 'x\\y.safetensors' }, 'expected a safetensors file'],
    ['a pickle', { a: 'pytorch_model.bin' }, 'expected a safetensors file'],
    ['a number', { a: 3 }, 'a value that is not a string'],
    ['nothing', {}, 'is empty'],
    ['a tensor that its file lacks', { b: 'one.safetensors' }, '"b"'],
  ])('rejects an index that names %s', (_, map, problem) => {
    const path = folder({ 'one.safetensors': shard({ a: floats(1) }), 'model.safetensors.index.json': index(map) })
    expect(() => openWeights(path)).toThrow(rejection('BAD_WEIGHTS_INDEX', problem))
  })

  it('rejects an index that is not JSON, and one with a missing file', () => {
    expect(() => openWeights(folder({ 'model.safetensors.index.json': '{' }))).toThrow(rejection('BAD_WEIGHTS_INDEX'))
    const path = folder({ 'model.safetensors.index.json': index({ a: 'gone.safetensors' }) })
    expect(() => openWeights(path)).toThrow(rejection('FILE_NOT_FOUND', 'gone.safetensors'))
  })

  it('opens a checkpoint with more files than the process may have open', () => {
    const count = 300
    const names = Array.from({ length: count }, (_, i) => `${i}.safetensors`)
    const path = folder({
      ...Object.fromEntries(names.map((name, i) => [name, shard({ [`t${i}`]: floats(i) })])),
      'model.safetensors.index.json': index(Object.fromEntries(names.map((name, i) => [`t${i}`, name]))),
    })
    const program = `
      const { openWeights } = await import('./dist/open-weights.js')
      const reader = openWeights(process.argv[1])
      let sum = 0
      for (const name of reader.tensors.keys()) sum += reader.read(name).values[0]
      process.stdout.write(String(sum))`
    const node = `ulimit -n 200 && "${process.execPath}" --input-type=module -e "$0" "$1"`
    expect(Number(execFileSync('sh', ['-c', node, program, path]))).toBe((count * (count - 1)) / 2)
    const reader = openWeights(path)
    reader.read('t7')
    reader.close()
    expect(() => reader.read('t7')).toThrow(rejection('FILE_NOT_READABLE', 'was closed'))
  })

  it('rejects a shard that was replaced after its header was read', () => {
    const path = folder({
      'one.safetensors': shard({ a: floats(1) }),
      'model.safetensors.index.json': index({ a: 'one.safetensors' }),
    })
    const reader = openWeights(path)
    rmSync(join(path, 'one.safetensors'))
    writeFileSync(join(path, 'one.safetensors'), shard({ a: floats(2, 3) }))
    expect(() => reader.read('a')).toThrow(rejection('FILE_NOT_READABLE', 'it changed during reading'))
  })

  it('rejects quickly an index that has one file under many names', () => {
    const tensors = `"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`
    const header = Buffer.from(`{"__metadata__":{${'"a":"",'.repeat(140_000)}"b":""},${tensors}}`)
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(header.length))
    const names = Array.from({ length: 1000 }, (_, i) => `${i}.safetensors`)
    const path = folder({
      one: Buffer.concat([length, header]),
      'model.safetensors.index.json': index(Object.fromEntries(names.map((name, i) => [i === 0 ? 't' : `${i}`, name]))),
    })
    for (const name of names) symlinkSync('one', join(path, name))
    const before = process.cpuUsage().user
    expect(() => openWeights(path)).toThrow(rejection('BAD_WEIGHTS_INDEX', 'tensor "t" is in'))
    expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(3)
  })

  it('rejects a path that is not a regular file, without opening it', () => {
    const path = folder({ 'model.safetensors.index.json': index({ a: 'pipe.safetensors' }) })
    execFileSync('mkfifo', [join(path, 'pipe.safetensors')])
    for (const where of [path, join(path, 'pipe.safetensors')])
      expect(() => openWeights(where)).toThrow(rejection('FILE_NOT_READABLE', 'it is a pipe'))
    expect(() => openWeights('/dev/zero')).toThrow(rejection('FILE_NOT_READABLE', 'it is a device'))
    symlinkSync('circle', join(path, 'circle'))
    expect(() => openWeights(join(path, 'circle'))).toThrow(rejection('FILE_NOT_READABLE', 'ELOOP'))
    expect(() => openWeights(join(path, 'a'.repeat(300)))).toThrow(
      expect.objectContaining({ code: 'FILE_NOT_READABLE', remedy: 'Shorten the path.' }),
    )
    expect(() => openWeights(join(path, 'pipe.safetensors', 'x'))).toThrow(rejection('FILE_NOT_FOUND'))
  })

  it('rejects a pickle with the reason and a conversion command', () => {
    const path = folder({ 'pytorch_model.bin': 'x', 'training_args.bin': 'y' })
    for (const where of [path, join(path, 'pytorch_model.bin')])
      expect(() => openWeights(where)).toThrow(
        expect.objectContaining({
          code: 'PICKLED_WEIGHTS',
          problem: expect.stringContaining('can execute arbitrary code'),
          remedy: expect.stringMatching(/weights_only=True.*model\.safetensors" ".*pytorch_model\.bin"$/),
        }),
      )
  })

  it('lists the files of a folder without weights, or with several GGUF files', () => {
    expect(() => openWeights(folder({ 'notes.txt': '' }))).toThrow(rejection('NO_WEIGHTS_FILE', 'notes.txt'))
    expect(() => openWeights(folder({ 'a.gguf': '', 'b.gguf': '' }))).toThrow(
      rejection('NO_WEIGHTS_FILE', 'a.gguf, b.gguf'),
    )
    expect(() => openWeights(join(root, 'nowhere'))).toThrow(rejection('FILE_NOT_FOUND', 'nowhere'))
  })

  /** Creates a sparse file, whose data are a hole except for the bytes at its end. */
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

  it('reads a single tensor beyond the first 4 GiB of a file', () => {
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

  it('holds one tensor and one chunk at a time', () => {
    const [count, bytes] = [16, 32 * 2 ** 20]
    const header = Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `half ${i}`,
        { dtype: 'F16', shape: [bytes / 2], data_offsets: [i * bytes, (i + 1) * bytes] },
      ]),
    )
    const path = sparse('halves.safetensors', header, count * bytes, Uint8Array.of(0, 0x3c))
    const program = `
      const { openWeights } = await import('./dist/open-weights.js')
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
    // 1 GiB of float32 in total, 64 MiB per tensor; the previous one may not have been returned to the system yet.
    expect(megabytes).toBeGreaterThan(60)
    expect(megabytes).toBeLessThan(200)
  })
})
