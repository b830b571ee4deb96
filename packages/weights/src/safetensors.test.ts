import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type HostArray, isAttuneError, key, stream } from '@attune/core'
import { decodeSafetensors, encodeSafetensors, streamSafetensors } from './safetensors.js'
import { weightsInMemory } from './open-weights.js'

const file = readFileSync('golden/types.safetensors')
const golden = JSON.parse(readFileSync('golden/types.json', 'utf8')) as {
  readonly source: string
  readonly tensors: Record<string, { readonly shape: number[]; readonly values: (number | string)[] }>
}

/** Creates a file with any header, valid or not, and `size` bytes of data. */
function bytesOf(header: unknown, size: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + size)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  return bytes
}

const rejectionOf = (bytes: Uint8Array): string => {
  try {
    decodeSafetensors(bytes, 'weights.safetensors')
  } catch (error) {
    if (isAttuneError(error) && error.code === 'BAD_SAFETENSORS') return error.problem
    throw error
  }
  throw new Error('it was accepted')
}

const two = (first: [number, number], second: [number, number], names: readonly [string, string] = ['a', 'b']) => ({
  [names[0]]: { dtype: 'U8', shape: [first[1] - first[0]], data_offsets: first },
  [names[1]]: { dtype: 'U8', shape: [second[1] - second[0]], data_offsets: second },
})
const one = (changed: object) => ({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...changed } })

describe('decodeSafetensors', () => {
  const { tensors, metadata } = decodeSafetensors(file, 'types.safetensors')

  it.each(Object.entries(golden.tensors))(`reads "%s" as ${golden.source} wrote it`, (name, { shape, values }) => {
    expect(tensors[name]!.shape).toEqual(shape)
    const numbers = Array.from(tensors[name]!.values as ArrayLike<number>)
    const expected = values.map((value) =>
      typeof value === 'string' ? Number(value.replace('inf', 'Infinity')) : value,
    )
    expect(numbers.length).toBe(expected.length)
    expect(numbers.every((n, i) => Object.is(n, expected[i]))).toBe(true)
  })

  it('reads floats as float32, integers as int32, and booleans as bool', () => {
    const types = Object.fromEntries(
      Object.entries(tensors).map(([name, { dtype, values }]) => [name, [dtype, values.constructor.name]]),
    )
    for (const name of ['half', 'brain', 'single', 'double', 'scalar', 'empty'])
      expect(types[name]).toEqual(['float32', 'Float32Array'])
    for (const name of ['long', 'int', 'short', 'signed', 'byte']) expect(types[name]).toEqual(['int32', 'Int32Array'])
    expect(types['truth']).toEqual(['bool', 'Uint8Array'])
  })

  it('reads the metadata', () => expect(metadata).toEqual({ format: 'pt', note: 'ünïcode' }))

  it('reads from a Buffer, a Uint8Array, and views into either', () => {
    for (const shift of [0, 1, 7]) {
      const shifted = new Uint8Array(file.length + shift + 5)
      shifted.set(file, shift)
      expect(decodeSafetensors(shifted.subarray(shift, shift + file.length), 'x')).toEqual({ tensors, metadata })
      expect(decodeSafetensors(Buffer.from(shifted.buffer, shift, file.length), 'x')).toEqual({ tensors, metadata })
    }
  })

  it('copies the data', () => {
    const bytes = new Uint8Array(file)
    const read = decodeSafetensors(bytes, 'x')
    bytes.fill(255)
    expect(read).toEqual({ tensors, metadata })
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /it has 0 bytes/],
    ['seven bytes', new Uint8Array(7), /it has 7 bytes/],
    ['a header longer than the file', bytesOf(one({}), 8).subarray(0, 20), /header length is/],
    ['a header of 2⁶⁴ − 1 bytes', new Uint8Array(64).fill(255), /header length is/],
    ['a header that is not JSON', bytesOf('{"a":', 0), /not JSON/],
    ['a header that is not UTF-8', bytesOf(one({}), 8).fill(0xff, 12, 14), /not JSON/],
    ['a header that is an array', bytesOf([], 0), /not a JSON object/],
    ['a header that is null', bytesOf('null', 0), /not a JSON object/],
    ['an empty header text', bytesOf('', 0), /not JSON/],
    ['trailing data', bytesOf(one({}), 9), /truncated or has trailing data/],
    ['truncated data', bytesOf(one({}), 7), /truncated or has trailing data/],
    ['data without a tensor', bytesOf({}, 1), /truncated or has trailing data/],
    ['a gap', bytesOf(two([0, 4], [5, 8]), 8), /gap or overlap at byte 4/],
    ['an overlap', bytesOf(two([0, 5], [4, 8]), 8), /gap or overlap at byte 5/],
    ['the same bytes twice', bytesOf(two([0, 4], [0, 4]), 4), /gap or overlap at byte 4/],
    ['data that start after a gap', bytesOf(one({ data_offsets: [4, 12] }), 12), /gap or overlap at byte 0/],
    ['reversed offsets', bytesOf(one({ data_offsets: [8, 0] }), 8), /needs 8 bytes, but data_offsets span -8/],
    ['negative offsets', bytesOf(one({ data_offsets: [-8, 0] }), 8), /invalid data_offsets/],
    ['fractional offsets', bytesOf(one({ data_offsets: [0, 8.5] }), 8), /invalid data_offsets/],
    ['three offsets', bytesOf(one({ data_offsets: [0, 8, 8] }), 8), /invalid data_offsets/],
    ['no offsets', bytesOf(one({ data_offsets: null }), 8), /invalid data_offsets/],
    ['a shape that needs more', bytesOf(one({ shape: [3] }), 8), /of shape \[3\] needs 12 bytes/],
    ['a shape that needs less', bytesOf(one({ shape: [1] }), 8), /of shape \[1\] needs 4 bytes/],
    ['an impossibly large shape', bytesOf(one({ shape: [2 ** 52, 2 ** 52] }), 8), /needs .* bytes/],
    [
      'an impossibly large shape with a dimension of 0',
      bytesOf({ a: { dtype: 'F32', shape: [2 ** 52, 0, 2 ** 52], data_offsets: [0, 0] } }, 0),
      /invalid shape/,
    ],
    ['a deeply nested header', bytesOf(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 0), /not JSON/],
    ['a negative shape', bytesOf(one({ shape: [-1, -2] }), 8), /invalid shape/],
    ['a shape of strings', bytesOf(one({ shape: ['2'] }), 8), /invalid shape/],
    [
      'a shape of seventeen dimensions',
      bytesOf(one({ shape: [2, ...new Array<number>(16).fill(1)] }), 8),
      /invalid shape/,
    ],
    ['no shape', bytesOf(one({ shape: undefined }), 8), /invalid shape/],
    ['an unknown type', bytesOf(one({ dtype: 'F5' }), 8), /dtype "F5"/],
    ['an inherited type', bytesOf(one({ dtype: 'constructor' }), 8), /dtype "constructor"/],
    ['a type that is not a string', bytesOf(one({ dtype: { F32: 1 } }), 8), /dtype that is not a string/],
    ['no type', bytesOf(one({ dtype: undefined }), 8), /dtype/],
    ['a tensor that is null', bytesOf({ a: null }, 0), /dtype/],
    ['a tensor that is a number', bytesOf({ a: 3 }, 0), /dtype/],
    ['metadata that is null', bytesOf({ __metadata__: null }, 0), /__metadata__/],
    ['metadata that is an array', bytesOf({ __metadata__: ['a'] }, 0), /__metadata__/],
    ['metadata with numbers', bytesOf({ __metadata__: { a: 1 } }, 0), /__metadata__/],
    [
      'the same name twice',
      bytesOf(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
        2,
      ),
      /gap or overlap/,
    ],
    [
      '64-bit numbers beyond 32 bits',
      bytesOf({ a: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, 8).fill(1, -8),
      /beyond 32 bits/,
    ],
    [
      'a 64-bit number beyond single precision',
      bytesOf({ a: { dtype: 'F64', shape: [1], data_offsets: [0, 8] } }, 8)
        .with(-1, 0x7f)
        .with(-2, 0xe0),
      /beyond single precision/,
    ],
  ])('rejects %s', (_, bytes, why) => expect(rejectionOf(bytes)).toMatch(why))

  it('names the file and keeps messages short, even for long tensor names', () => {
    const message = rejectionOf(bytesOf({ ['x'.repeat(100_000)]: { dtype: 'y'.repeat(100_000) } }, 0))
    expect(message).toContain('weights.safetensors')
    expect(message.length).toBeLessThan(500)
  })

  it('bounds the time and memory of a header by its size', () => {
    const entry = (i: number, rest = {}) =>
      [`${i}`, { dtype: 'U8', shape: [0], data_offsets: [0, 0], ...rest }] as const
    const many = (count: number, rest?: object) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => entry(i, rest)))
    const before = process.cpuUsage().user
    const held = process.memoryUsage().arrayBuffers
    expect(Object.keys(decodeSafetensors(bytesOf(many(18_000), 0), 'x').tensors)).toHaveLength(18_000)
    expect(Object.keys(decodeSafetensors(bytesOf(many(9000, { shape: [1e15, 0] }), 0), 'x').tensors)).toHaveLength(9000)
    expect(rejectionOf(bytesOf(`{"a":[${'[],'.repeat(300_000)}[]]}`, 0))).toMatch(/dtype/)
    expect(rejectionOf(bytesOf(many(18_000, { shape: [1] }), 0))).toMatch(/needs 1 bytes/)
    expect(() => weightsInMemory(bytesOf(many(18_000), 0), 'x').read('9'.repeat(10_000))).toThrow('has no tensor')
    expect(process.memoryUsage().arrayBuffers - held).toBeLessThan(50e6)
    expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(10)
  })

  // The types of the format that the safetensors library writes and Attune does not read.
  it.each(['F8_E4M3', 'F8_E5M2', 'F8_E8M0', 'F4', 'F6_E2M3', 'U32', 'U64', 'C64'])('names the type %s', (dtype) => {
    const bytes = bytesOf(one({ dtype }), 8)
    expect(() => decodeSafetensors(bytes, 'x')).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_TYPE',
        problem: expect.stringContaining(`tensor "a" has the element type ${dtype}; supported are F64, F32`) as unknown,
      }),
    )
  })

  it('reads unsigned integers of 16 bits', () => {
    const header = { a: { dtype: 'U16', shape: [2], data_offsets: [0, 4] } }
    const bytes = bytesOf(header, 4)
    bytes.set([1, 0, 255, 255], bytes.length - 4)
    expect([...(decodeSafetensors(bytes, 'x').tensors['a']!.values as Int32Array)]).toEqual([1, 65535])
  })

  it('never reaches a prototype', () => {
    const named = decodeSafetensors(bytesOf('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1), 'x')
    expect(Object.keys(named.tensors)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['dtype']).toBeUndefined()
    expect(Object.getPrototypeOf(named.tensors)).toBe(Object.prototype)
  })
})

describe('encodeSafetensors', () => {
  const arrays: Record<string, HostArray> = {
    'b.weight': { shape: [2, 2], dtype: 'float32', values: Float32Array.of(1, -0, NaN, 1e-45) },
    'a.ids': { shape: [3], dtype: 'int32', values: Int32Array.of(0, -1, 2 ** 31 - 1) },
    mask: { shape: [3], dtype: 'bool', values: Uint8Array.of(1, 0, 1) },
    scalar: { shape: [], dtype: 'float32', values: Float32Array.of(3) },
    empty: { shape: [0, 4], dtype: 'float32', values: new Float32Array(0) },
    ['__proto__']: { shape: [1], dtype: 'int32', values: Int32Array.of(9) },
    'ünï "code"\\\n': { shape: [1], dtype: 'float32', values: Float32Array.of(2) },
  }

  it('round-trips all types, including views into larger arrays', () => {
    const view = { shape: [2], dtype: 'float32', values: Float32Array.of(9, 1, 2, 9).subarray(1, 3) } as const
    const all = Object.fromEntries([...Object.entries(arrays), ['view', view]])
    const { tensors, metadata } = decodeSafetensors(encodeSafetensors(all, { format: 'pt' }), 'x')
    expect(metadata).toEqual({ format: 'pt' })
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(all).sort())
    for (const [name, { shape, dtype, values }] of Object.entries(all)) {
      expect([tensors[name]!.shape, tensors[name]!.dtype]).toEqual([shape, dtype])
      expect(Array.from(tensors[name]!.values as ArrayLike<number>)).toEqual(Array.from(values as ArrayLike<number>))
    }
  })

  it('returns the same bytes for any order of names, with data aligned to 8 bytes', () => {
    const turned = Object.fromEntries(Object.entries(arrays).reverse())
    const bytes = encodeSafetensors(arrays)
    expect(Buffer.compare(encodeSafetensors(turned), bytes)).toBe(0)
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0)
  })

  it('rounds to half precision like torch, and keeps other types', () => {
    const { single, half } = decodeSafetensors(readFileSync('golden/rounding.safetensors'), 'x').tensors
    // Finite numbers that overflow to infinity are rejected, so they are excluded here.
    const fits = Array.from(half!.values, (n, i) => Number.isFinite(n) || !Number.isFinite(single!.values[i]))
    expect(fits.filter((fit) => !fit).length).toBeGreaterThan(100)
    const pick = ({ values }: HostArray): HostArray => {
      const kept = Float32Array.from(values as Float32Array).filter((_, i) => fits[i])
      return { shape: [kept.length], dtype: 'float32', values: kept }
    }
    const given = { single: pick(single!), ids: arrays['a.ids']! }
    const bytes = encodeSafetensors(given, {}, 'float16')
    const { tensors } = decodeSafetensors(bytes, 'x')
    expect(tensors['ids']).toEqual(given.ids)
    expect(bytes.length).toBeLessThan(2 * given.single.values.length + 200)
    const expected = pick(half!).values
    expect(Array.from(tensors['single']!.values).every((n, i) => Object.is(n, expected[i]))).toBe(true)
  })

  it('rejects a finite number that overflows half precision, and keeps infinity and NaN', () => {
    const encode = (...numbers: number[]): Uint8Array => {
      const w: HostArray = { shape: [numbers.length], dtype: 'float32', values: Float32Array.from(numbers) }
      return encodeSafetensors({ w }, {}, 'float16')
    }
    expect(() => encode(1, 65520)).toThrow(expect.objectContaining({ code: 'BEYOND_FLOAT16' }))
    expect(Array.from(decodeSafetensors(encode(-Infinity, NaN, 65519), 'x').tensors['w']!.values)).toEqual([
      -Infinity,
      NaN,
      65504,
    ])
  })

  it('writes an empty file that can be read', () => {
    expect(decodeSafetensors(encodeSafetensors({}), 'x')).toEqual({ tensors: {}, metadata: {} })
  })
})

describe('decodeSafetensors on 20,000 corrupted files', () => {
  const random = stream(key(77))
  const below = (n: number): number => Math.floor(random() * n)
  const valid = [
    encodeSafetensors(
      {
        'a.weight': { shape: [2, 2], dtype: 'float32', values: Float32Array.of(1, 2, 3, 4) },
        'b.ids': { shape: [3], dtype: 'int32', values: Int32Array.of(1, 2, 3) },
      },
      { format: 'pt' },
    ),
    bytesOf(
      {
        a: { dtype: 'I64', shape: [1], data_offsets: [0, 8] },
        b: { dtype: 'BF16', shape: [2, 1], data_offsets: [8, 12] },
      },
      12,
    ),
  ]
  const fragments = [
    '0',
    '9',
    '-1',
    '1e9',
    '99999999999',
    'null',
    '[]',
    '{}',
    '"',
    ',',
    ':',
    '__metadata__',
    '__proto__',
    'F16',
    'BOOL',
    '\\u0000',
    '\u0000',
  ]

  function corrupt(bytes: Uint8Array): Uint8Array {
    const at = below(bytes.length)
    switch (below(5)) {
      case 0:
        return bytes.with(at, below(256))
      case 1:
        return bytes.subarray(0, at)
      case 2:
        return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(Math.min(bytes.length, at + 1 + below(4)))])
      case 3: {
        const fragment = new TextEncoder().encode(fragments[below(fragments.length)]!)
        const rest = bytes.subarray(at + below(2) * fragment.length)
        return Uint8Array.from([...bytes.subarray(0, at), ...fragment, ...rest])
      }
      default:
        return bytes.with(below(Math.min(8, bytes.length)), below(256))
    }
  }

  it('throws an AttuneError or reads them, with memory bounded by their size', () => {
    let rejection = 0
    for (let i = 0; i < 20_000; i++) {
      let bytes = valid[i % valid.length]!
      for (let times = 1 + below(3); times > 0; times--) bytes = bytes.length > 0 ? corrupt(bytes) : bytes
      // Restore the header length, so that not every insertion is caught by the length alone.
      if (i % 3 === 0 && bytes.length > 8) {
        bytes = bytes.slice()
        new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, bytes.length - 8 - [28, 12][i % 2]!)), true)
      }
      try {
        const { tensors } = decodeSafetensors(bytes, 'fuzz')
        const size = Object.values(tensors).reduce((sum, { values }) => sum + values.byteLength, 0)
        expect(size).toBeLessThanOrEqual(4 * bytes.length)
      } catch (error) {
        expect([isAttuneError(error) && error.code, error]).toEqual([
          expect.stringMatching(/^(BAD_SAFETENSORS|UNSUPPORTED_TYPE)$/),
          error,
        ])
        rejection++
      }
    }
    expect(rejection).toBeGreaterThan(10_000)
    expect(rejection).toBeLessThan(20_000)
  })
})

describe('streamSafetensors', () => {
  it('returns the bytes of encodeSafetensors, and reads each tensor when its part is asked for', async () => {
    const tensors: Record<string, HostArray> = {
      wide: { shape: [2, 3], dtype: 'float32', values: Float32Array.of(1, 2, 3, 4, 5, -0) },
      count: { shape: [], dtype: 'int32', values: Int32Array.of(7) },
      flags: { shape: [3], dtype: 'bool', values: Uint8Array.of(1, 0, 1) },
      none: { shape: [0, 4], dtype: 'float32', values: new Float32Array(0) },
    }
    const read: string[] = []
    const sources = Object.entries(tensors).map(([name, array]) => {
      const values = (): HostArray['values'] => (read.push(name), array.values)
      return [name, { ...array, values }] as const
    })
    const parts: Uint8Array[] = []
    const readBefore: number[] = []
    for await (const part of streamSafetensors(Object.fromEntries(sources))) {
      parts.push(part)
      readBefore.push(read.length)
    }
    expect(readBefore).toEqual([0, 1, 2, 3, 4])
    expect(Buffer.concat(parts)).toEqual(Buffer.from(encodeSafetensors(tensors)))
  })
})
