import { describe, expect, it } from '@jest/globals'
import { weightsInMemory } from '../open-weights.js'

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
const uint64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint64(bytes.length), bytes])
}
const [BYTE, FLOAT, TEXT, ARRAY] = [0, 6, 8, 9]
const entry = (key: string, type: number, value: Buffer): Buffer => Buffer.concat([text(key), uint32(type), value])
const array = (type: number, length: number, items: Buffer): Buffer =>
  Buffer.concat([uint32(type), uint64(length), items])
const texts = (...values: string[]): Buffer => array(TEXT, values.length, Buffer.concat(values.map(text)))

/** Creates a GGUF file from metadata and tensor infos; the declared number of tensors may differ. */
function gguf(keys: readonly Buffer[], infos: readonly Buffer[] = [], tensors = infos.length): Buffer {
  const counts = [uint32(3), uint64(tensors), uint64(keys.length)]
  return Buffer.concat([Buffer.from('GGUF'), ...counts, ...keys, ...infos, Buffer.alloc(32)])
}
const open = (...keys: Buffer[]) => weightsInMemory(gguf(keys), 'x.gguf')
const rejection = (problem: string) =>
  expect.objectContaining({ code: 'BAD_GGUF', problem: expect.stringContaining(problem) })

describe('readMetadata', () => {
  const many = Array.from({ length: 5000 }, (_, i) => `token ${i}`)

  it('keeps short values and tokenizer data', () => {
    const floats = Buffer.from(Float32Array.from(many, (_, i) => i / 2).buffer)
    const { metadata } = open(
      entry('other.tokens', ARRAY, texts(...many)),
      entry('other.numbers', ARRAY, array(FLOAT, many.length, floats)),
      entry('other.lists', ARRAY, array(ARRAY, 2000, Buffer.concat(many.slice(0, 2000).map((each) => texts(each))))),
      entry('other.text', TEXT, text('x'.repeat(70_000))),
      entry('other.texts', ARRAY, texts('x'.repeat(50_000), 'x'.repeat(50_000))),
      entry('a.short', ARRAY, texts('a', 'b')),
      entry('tokenizer.ggml.tokens', ARRAY, texts(...many)),
      entry('tokenizer.ggml.scores', ARRAY, array(FLOAT, many.length, floats)),
      entry('tokenizer.chat_template', TEXT, text('x'.repeat(70_000))),
    )
    expect(metadata).toEqual({
      'a.short': ['a', 'b'],
      'tokenizer.ggml.tokens': many,
      'tokenizer.ggml.scores': many.map((_, i) => i / 2),
      'tokenizer.chat_template': 'x'.repeat(70_000),
    })
  })

  it('rejects an oversized setting on access', () => {
    const long = array(BYTE, 5000, Buffer.alloc(5000))
    for (const key of ['llama.rope.scaling.factor', 'llama.block_count', 'general.alignment'])
      expect(() => open(entry('general.architecture', TEXT, text('llama')), entry(key, ARRAY, long))).toThrow(
        rejection(`its "${key}" exceeds the size limit of a setting`),
      )
  })

  it('rejects duplicate and oversized keys, even of skipped values', () => {
    const long = array(BYTE, 5000, Buffer.alloc(5000))
    const [short, skipped] = [entry('a', BYTE, Buffer.of(1)), entry('a', ARRAY, long)]
    for (const keys of [
      [short, short],
      [short, skipped],
      [skipped, skipped],
    ])
      expect(() => open(...keys)).toThrow(rejection('the key "a" twice'))
    expect(() => open(entry('k'.repeat(65_536), BYTE, Buffer.of(1)))).toThrow(rejection('a key of 65536 bytes'))
  })

  it('keeps every character of a string, including a byte order mark', () => {
    const tokens = ['\ufeff', '\ufeffa', 'ü', '', '▁']
    expect(open(entry('tokenizer.ggml.tokens', ARRAY, texts(...tokens))).metadata).toEqual({
      'tokenizer.ggml.tokens': tokens,
    })
  })

  it.each([
    ['more items than bytes', array(TEXT, 2 ** 52, Buffer.alloc(100)), 'bytes follow'],
    ['missing bytes', array(BYTE, 2 ** 40, Buffer.alloc(100)), 'bytes follow'],
    [
      'deeply nested arrays',
      Buffer.concat(Array.from({ length: 50_000 }, () => array(ARRAY, 1, Buffer.alloc(0)))),
      'more than 4 deep',
    ],
    ['a string beyond the end of the file', array(TEXT, 1, uint64(2 ** 40)), 'in the middle of its header'],
  ])('rejects %s', (_, value, problem) => {
    for (const key of ['a', 'tokenizer.ggml.tokens'])
      expect(() => open(entry(key, ARRAY, value))).toThrow(rejection(problem))
  })
})

describe('weightsInMemory on a GGUF file of a megabyte', () => {
  const info = (name: string): Buffer => Buffer.concat([text(name), uint32(1), uint64(0), uint32(0), uint64(0)])

  it.each([
    [
      'empty tensors',
      gguf(
        [],
        Array.from({ length: 25_000 }, (_, i) => info(`t${i}`)),
      ),
    ],
    ['small keys', gguf(Array.from({ length: 50_000 }, (_, i) => entry(`${i}`, BYTE, Buffer.of(1))))],
    ['skipped bytes', gguf([entry('a', ARRAY, array(BYTE, 1e6, Buffer.alloc(1e6)))])],
    ['empty strings', gguf([entry('tokenizer.ggml.tokens', ARRAY, array(TEXT, 125_000, Buffer.alloc(1e6)))])],
    ['empty arrays', gguf([entry('a', ARRAY, array(ARRAY, 80_000, Buffer.alloc(80_000 * 12)))])],
    ['one-byte scores', gguf([entry('tokenizer.ggml.scores', ARRAY, array(BYTE, 1e6, Buffer.alloc(1e6)))])],
  ])('reads %s quickly', (_, bytes) => {
    const before = process.cpuUsage().user
    expect(weightsInMemory(bytes, 'x.gguf').where).toBe('x.gguf')
    expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(5)
  })
})
