import { AttuneError, type HostArray } from '@attune/core'
import { floatToHalf } from './float16.js'
import { memorySource } from './byte-source.js'
import { safetensorsReader } from './weights-reader.js'

const NAMES = { float32: 'F32', int32: 'I32', bool: 'BOOL' } as const

/** The content of a safetensors file. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, HostArray>>
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Reads a safetensors file that is in memory, whole. Half and double precision become float32; 64-bit integers become
 * int32 and must fit.
 * @param where what to call the file in errors
 * @throws AttuneError `BAD_SAFETENSORS` for anything unsound: lengths that lie, overlaps, gaps, unknown types.
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const reader = safetensorsReader(memorySource(bytes, where))
  const tensors = Object.fromEntries([...reader.tensors.keys()].map((name) => [name, reader.read(name)]))
  return { tensors, metadata: reader.metadata as Readonly<Record<string, string>> }
}

/** How a file's floating-point numbers are stored: in 32 bits, or rounded to the nearest in 16. */
export type FloatStorage = 'float32' | 'float16'

interface Stored {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly values: Float32Array | Int32Array | Uint8Array | Uint16Array
}

function halve(name: string, values: Float32Array): Uint16Array {
  const halves = Uint16Array.from(values, floatToHalf)
  const lost = halves.findIndex((half, i) => (half & 0x7fff) === 0x7c00 && Number.isFinite(values[i]))
  if (lost < 0) return halves
  throw new AttuneError(
    'BEYOND_FLOAT16',
    `"${name}" holds ${values[lost]}, and the greatest number of float16 is 65504`,
    'Store the tensors as float32.',
  )
}

function store(name: string, { shape, dtype, values }: HostArray, floats: FloatStorage): Stored {
  if (dtype !== 'float32' || floats === 'float32') return { name, dtype: NAMES[dtype], shape, values }
  return { name, dtype: 'F16', shape, values: halve(name, values as Float32Array) }
}

/**
 * Writes a safetensors file to memory: names in sorted order, the header padded with spaces to a multiple of 8, so that
 * the same tensors always give the same bytes.
 * @param floats how to store floating-point numbers
 * @throws AttuneError `BEYOND_FLOAT16` if one is too great for the storage
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, HostArray>>,
  metadata: Readonly<Record<string, string>> = {},
  floats: FloatStorage = 'float32',
): Uint8Array {
  const names = Object.keys(tensors).sort()
  const stored = names.map((name) => store(name, tensors[name]!, floats))
  let end = 0
  const entries = stored.map(({ name, dtype, shape, values }) => {
    const offsets = [end, (end += values.byteLength)]
    return [name, { dtype, shape, data_offsets: offsets }] as const
  })
  const extra = Object.keys(metadata).length > 0 ? [['__metadata__', metadata] as const] : []
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries<unknown>([...extra, ...entries])))
  const start = 8 + Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true)
  bytes.set(json, 8)
  let offset = start
  for (const { values } of stored) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset)
    offset += values.byteLength
  }
  return bytes
}
