import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { decodeSafetensors } from '../safetensors.js'
import { openWeights, weightsInMemory } from '../weights/open-weights.js'

const file = 'golden/gguf/quantised.gguf'
const golden = JSON.parse(readFileSync('golden/gguf/quantised.json', 'utf8')) as {
  readonly source: string
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly bits: string }>>
}
const floatsOf = (bits: string): Float32Array => {
  const bytes = Uint8Array.from(Buffer.from(bits, 'base64'))
  return new Float32Array(bytes.buffer)
}

describe(`a GGUF file, as ${golden.source} reads it`, () => {
  const reader = openWeights(file)

  it.each(Object.entries(golden.tensors))('has the numbers of type %s to the last bit', (name, { shape, bits }) => {
    const { shape: found, values } = reader.read(name)
    expect(found).toEqual(shape)
    const expected = floatsOf(bits)
    expect(Buffer.from(Float32Array.from(values).buffer).equals(Buffer.from(expected.buffer))).toBe(true)
  })

  it('has its metadata, of every type of value', () => {
    expect(reader.metadata).toMatchObject({
      'a.uint8': 255,
      'a.int8': -128,
      'a.uint16': 65535,
      'a.int16': -32768,
      'a.uint32': 2 ** 32 - 1,
      'a.int32': -(2 ** 31),
      'a.float32': 0.5,
      'a.bool': true,
      'a.string': 'ünïcode ▁',
      'a.uint64': 2n ** 64n - 1n,
      'a.int64': -(2 ** 53) + 1,
      'a.float64': 0.1,
      'a.strings': ['a', '', 'ß'],
      'a.numbers': [1, -2, 3],
      'a.arrays': [[1, 2], [3]],
    })
    expect(reader.config).toBeUndefined()
  })
})

describe.each(['llama', 'qwen2', 'gpt2'])('a GGUF file of %s', (name) => {
  it('has the names, weights and settings that transformers gives the same file', () => {
    const reader = openWeights(`golden/gguf/${name}.gguf`)
    const expected = decodeSafetensors(readFileSync(`golden/gguf/${name}.safetensors`), name).tensors
    expect([...reader.tensors.keys()].sort()).toEqual(Object.keys(expected).sort())
    for (const [tensor, { shape, values }] of Object.entries(expected)) {
      const found = reader.read(tensor)
      expect([tensor, found.shape]).toEqual([tensor, shape])
      expect([tensor, [...found.values]]).toEqual([tensor, [...values]])
    }
    const config = JSON.parse(readFileSync(`golden/gguf/${name}.json`, 'utf8')) as Record<string, unknown>
    for (const [key, value] of Object.entries(config))
      if (typeof value === 'number') expect([key, reader.config?.[key]]).toEqual([key, expect.closeTo(value, 9)])
      else expect([key, reader.config?.[key]]).toEqual([key, value])
  })
})

describe('an unsound GGUF file is refused', () => {
  const whole = readFileSync(file)
  const broken = (change: (bytes: Buffer) => unknown): Uint8Array => {
    const bytes = Buffer.from(whole)
    const changed = change(bytes)
    return changed instanceof Uint8Array ? changed : bytes
  }
  it.each([
    ['cut in its header', broken((b) => b.subarray(0, 200))],
    ['cut in its data', broken((b) => b.subarray(0, b.length - 400))],
    ['of another version', broken((b) => void b.writeUInt32LE(9, 4))],
    ['with the big end first', broken((b) => void b.writeUInt32LE(0x03000000, 4))],
    ['with more tensors than there can be', broken((b) => void b.writeBigUInt64LE(2n ** 40n, 8))],
    ['with more keys than there can be', broken((b) => void b.writeBigUInt64LE(2n ** 40n, 16))],
    ['with a text as long as the world', broken((b) => void b.writeBigUInt64LE(2n ** 62n, 24))],
  ])('%s', (_, bytes) => {
    expect(() => weightsInMemory(bytes, 'x.gguf')).toThrow(expect.objectContaining({ code: 'BAD_GGUF' }))
  })

  it('wherever a byte is flipped in its header, or it reads as another', () => {
    for (let at = 4; at < 1200; at++) {
      const bytes = broken((b) => void b.writeUInt8(b[at]! ^ 0xff, at))
      try {
        const reader = weightsInMemory(bytes, 'x.gguf')
        for (const name of reader.tensors.keys()) reader.read(name)
      } catch (error) {
        expect([at, (error as { code?: string }).code]).toEqual([at, expect.stringMatching(/^[A-Z_]+$/)])
      }
    }
  })
})
