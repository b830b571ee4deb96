import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import type { HostArray } from '@attune/core'
import { decodeSafetensors } from '../safetensors.js'
import { openWeights, weightsInMemory } from '../open-weights.js'

const file = 'golden/gguf/quantised.gguf'
const golden = JSON.parse(readFileSync('golden/gguf/quantised.json', 'utf8')) as {
  readonly source: string
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly bits: string }>>
}
const floatsOf = (bits: string): Float32Array => {
  const bytes = Uint8Array.from(Buffer.from(bits, 'base64'))
  return new Float32Array(bytes.buffer)
}

describe(`ggufReader, compared with ${golden.source}`, () => {
  const reader = openWeights(file)

  it.each(Object.entries(golden.tensors))('reads type %s bit-exactly', (name, { shape, bits }) => {
    const { shape: found, values } = reader.read(name)
    expect(found).toEqual(shape)
    const expected = floatsOf(bits)
    expect(Buffer.from(Float32Array.from(values).buffer).equals(Buffer.from(expected.buffer))).toBe(true)
  })

  it('reads metadata of every value type', () => {
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

describe.each(['llama', 'qwen2', 'qwen3', 'gpt2', 'gemma', 'gemma2', 'gemma3'])('ggufReader on %s', (name) => {
  it('matches transformers in names, weights and settings', () => {
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

/** Creates a GGUF file with number and string metadata and float32 tensors. */
function ggufOf(metadata: Readonly<Record<string, number | string>>, tensors: Readonly<Record<string, HostArray>>) {
  const int = (bytes: number, value: number): Buffer => {
    const buffer = Buffer.alloc(bytes)
    if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value))
    else buffer.writeUInt32LE(value)
    return buffer
  }
  const text = (value: string): Buffer[] => [int(8, Buffer.byteLength(value)), Buffer.from(value)]
  const float = (value: number): Buffer => Buffer.from(Float64Array.of(value).buffer)
  const parts = [
    Buffer.from('GGUF'),
    int(4, 3),
    int(8, Object.keys(tensors).length),
    int(8, Object.keys(metadata).length),
  ]
  for (const [key, value] of Object.entries(metadata))
    parts.push(...text(key), ...(typeof value === 'string' ? [int(4, 8), ...text(value)] : [int(4, 12), float(value)]))
  const data: Buffer[] = []
  let offset = 0
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    parts.push(...text(name), int(4, shape.length), ...[...shape].reverse().map((n) => int(8, n)), int(4, 0))
    parts.push(int(8, offset))
    const padded = Buffer.alloc(Math.ceil((values.length * 4) / 32) * 32)
    Buffer.from(Float32Array.from(values).buffer).copy(padded)
    data.push(padded)
    offset += padded.length
  }
  const header = Buffer.concat(parts)
  return Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32), ...data])
}

const floats = (...shape: number[]): HostArray => ({
  shape,
  dtype: 'float32',
  values: Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, (_, i) => i + 1),
})
const LLAMA = {
  'general.architecture': 'llama',
  'llama.embedding_length': 8,
  'llama.attention.head_count': 2,
  'llama.context_length': 64,
}
const open = (metadata: object, tensors: Readonly<Record<string, HostArray>> = {}) =>
  weightsInMemory(ggufOf({ ...LLAMA, ...metadata }, tensors), 'x.gguf')

describe('rotary position settings', () => {
  it('replace the factor tensor of Llama 3.1', () => {
    const reader = openWeights('golden/gguf/llama3.gguf')
    expect(reader.config).toMatchObject({ rope_scaling: { attention_factor: 1 } })
    expect([...reader.tensors.keys()]).toEqual(['model.embed_tokens.weight'])
  })

  it('include the scaling of the metadata', () => {
    const scaling = (metadata: object, tensors = {}) => open(metadata, tensors).config
    expect(scaling({})).toMatchObject({ rope_theta: 10_000 })
    expect(scaling({})).not.toHaveProperty('rope_scaling')
    expect(scaling({ 'llama.rope.scale_linear': 4 })).toMatchObject({
      rope_scaling: { rope_type: 'linear', factor: 4 },
    })
    const yarn = { type: 'yarn', factor: 8, original_context_length: 32, yarn_beta_fast: 16 }
    const entries = Object.entries(yarn).map(([key, value]) => [`llama.rope.scaling.${key}`, value])
    expect(scaling(Object.fromEntries(entries))).toMatchObject({
      rope_scaling: { rope_type: 'yarn', factor: 8, original_max_position_embeddings: 32, beta_fast: 16 },
    })
    const long = { 'llama.rope.scaling.type': 'longrope', 'llama.rope.scaling.attn_factor': 1.25 }
    const factors = { 'rope_factors_short.weight': floats(2), 'rope_factors_long.weight': floats(2) }
    expect(scaling(long, factors)).toMatchObject({
      rope_scaling: { rope_type: 'longrope', short_factor: [1, 2], long_factor: [1, 2], attention_factor: 1.25 },
    })
  })

  it.each([
    [
      'partial rotary dimensions',
      'UNSUPPORTED_POSITIONS',
      { 'llama.attention.key_length': 4, 'llama.rope.dimension_count': 2 },
      {},
    ],
    [
      'two kinds of scaling',
      'UNSUPPORTED_POSITIONS',
      { 'llama.rope.scale_linear': 2 },
      { 'rope_freqs.weight': floats(2) },
    ],
    ['an unknown type', 'UNSUPPORTED_POSITIONS', { 'llama.rope.scaling.type': 'su' }, {}],
    ['missing long factors', 'UNSUPPORTED_POSITIONS', {}, { 'rope_factors_short.weight': floats(2) }],
    ['an unsupported setting', 'UNSUPPORTED_POSITIONS', { 'llama.rope.scaling.alpha': 1000 }, {}],
    ['too many factors', 'BAD_GGUF', {}, { 'rope_freqs.weight': floats(3) }],
    ['factors that are not a vector', 'BAD_GGUF', {}, { 'rope_freqs.weight': floats(2, 1) }],
    ['a factor of 0', 'BAD_GGUF', {}, { 'rope_freqs.weight': { ...floats(2), values: Float32Array.of(0, 1) } }],
  ])('are rejected for %s', (_, code, metadata, tensors) => {
    expect(() => open(metadata, tensors)).toThrow(expect.objectContaining({ code }))
  })
})

it('ggufReader adds the query scale of the largest Gemma models, which the files lack', () => {
  const gemma = (name: string, layers: number) =>
    open({
      'general.architecture': name,
      [`${name}.block_count`]: layers,
      [`${name}.embedding_length`]: 4608,
      [`${name}.attention.head_count`]: 32,
      [`${name}.attention.key_length`]: 128,
    }).config?.['query_pre_attn_scalar']
  expect([gemma('gemma2', 46), gemma('gemma2', 42), gemma('gemma3', 62), gemma('gemma3', 26)]).toEqual([
    144, 128, 144, 128,
  ])
})

it.each([2.5, 1e300, 0, -2, 2 ** 53, NaN])('ggufReader rejects %p heads if rows must be permuted', (heads) => {
  const metadata = { 'llama.attention.head_count': heads, 'llama.attention.head_count_kv': heads }
  for (const part of ['q', 'k'])
    expect(() => open(metadata, { [`blk.0.attn_${part}.weight`]: floats(8, 8) })).toThrow(
      expect.objectContaining({ code: 'BAD_GGUF', problem: expect.stringContaining(`attn_${part} has 8 rows`) }),
    )
})

describe('ggufReader on a malformed file', () => {
  const whole = readFileSync(file)
  const broken = (change: (bytes: Buffer) => unknown): Uint8Array => {
    const bytes = Buffer.from(whole)
    const changed = change(bytes)
    return changed instanceof Uint8Array ? changed : bytes
  }
  it.each([
    ['truncated in the header', broken((b) => b.subarray(0, 200))],
    ['truncated in the data', broken((b) => b.subarray(0, b.length - 400))],
    ['of another version', broken((b) => void b.writeUInt32LE(9, 4))],
    ['in big-endian byte order', broken((b) => void b.writeUInt32LE(0x03000000, 4))],
    ['with an impossible number of tensors', broken((b) => void b.writeBigUInt64LE(2n ** 40n, 8))],
    ['with an impossible number of keys', broken((b) => void b.writeBigUInt64LE(2n ** 40n, 16))],
    ['with an impossible string length', broken((b) => void b.writeBigUInt64LE(2n ** 62n, 24))],
  ])('rejects a file %s', (_, bytes) => {
    expect(() => weightsInMemory(bytes, 'x.gguf')).toThrow(expect.objectContaining({ code: 'BAD_GGUF' }))
  })

  it('either rejects or reads a file with any flipped header byte', () => {
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
