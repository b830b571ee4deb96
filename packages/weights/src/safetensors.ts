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
 * Decodes a safetensors file in memory. Half, bfloat16 and double precision become float32; integers become int32, which must
 * hold them.
 * @param where the name of the file in error messages
 * @throws AttuneError `BAD_SAFETENSORS` for a malformed file: wrong lengths, overlaps, gaps, unknown types.
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const reader = safetensorsReader(memorySource(bytes, where))
  const tensors = Object.fromEntries([...reader.tensors.keys()].map((name) => [name, reader.read(name)]))
  return { tensors, metadata: reader.metadata as Readonly<Record<string, string>> }
}

/** Storage type of floating-point tensors: 32 bits, or rounded to nearest in 16 bits. */
export type FloatStorage = 'float32' | 'float16'

/** A tensor in the header of a file. */
interface Entry {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: number
}

interface Stored extends Entry {
  readonly values: Float32Array | Int32Array | Uint8Array | Uint16Array
}

function toFloat16(name: string, values: Float32Array): Uint16Array {
  const halves = Uint16Array.from(values, floatToHalf)
  const overflow = halves.findIndex((half, i) => (half & 0x7fff) === 0x7c00 && Number.isFinite(values[i]))
  if (overflow < 0) return halves
  throw new AttuneError(
    'BEYOND_FLOAT16',
    `tensor "${name}": expected values of magnitude up to 65504 for float16, got ${values[overflow]}`,
    'Save the tensors as float32.',
  )
}

function store(name: string, { shape, dtype, values }: HostArray, floats: FloatStorage): Stored {
  if (dtype !== 'float32' || floats === 'float32')
    return { name, dtype: NAMES[dtype], shape, values, bytes: values.byteLength }
  const halves = toFloat16(name, values as Float32Array)
  return { name, dtype: 'F16', shape, values: halves, bytes: halves.byteLength }
}

const viewOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** The start of a file, with the header, padded to a multiple of 8 bytes. */
function encodeHeader(stored: readonly Entry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  let end = 0
  const entries = stored.map(({ name, dtype, shape, bytes }) => {
    const offsets = [end, (end += bytes)]
    return [name, { dtype, shape, data_offsets: offsets }] as const
  })
  const extra = Object.keys(metadata).length > 0 ? [['__metadata__', metadata] as const] : []
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries<unknown>([...extra, ...entries])))
  const start = 8 + Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(start).fill(0x20, 8, start)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true)
  bytes.set(json, 8)
  return bytes
}

/**
 * Encodes tensors as a safetensors file in memory. Deterministic: names are sorted and the header is padded with spaces to a
 * multiple of 8 bytes.
 * @param floats storage type of floating-point tensors
 * @throws AttuneError `BEYOND_FLOAT16` if a value overflows float16
 *
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from '@attune/weights'
 * const values = Float32Array.of(0.1, -1)
 * const bytes = encodeSafetensors({ bias: { shape: [2], dtype: 'float32', values } }, { format: 'pt' }, 'float16')
 * console.log(decodeSafetensors(bytes, 'example').tensors.bias.values) // Float32Array(2) [ 0.0999755859375, -1 ]
 * ```
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, HostArray>>,
  metadata: Readonly<Record<string, string>> = {},
  floats: FloatStorage = 'float32',
): Uint8Array {
  const names = Object.keys(tensors).sort()
  const stored = names.map((name) => store(name, tensors[name]!, floats))
  const header = encodeHeader(stored, metadata)
  const bytes = new Uint8Array(header.length + stored.reduce((sum, each) => sum + each.bytes, 0))
  bytes.set(header)
  let offset = header.length
  for (const { values } of stored) {
    bytes.set(viewOf(values), offset)
    offset += values.byteLength
  }
  return bytes
}

/** A tensor whose values are read when they are written. */
export interface TensorSource extends Omit<HostArray, 'values'> {
  values(): HostArray['values'] | Promise<HostArray['values']>
}

/**
 * Encodes tensors as the parts of a safetensors file, the same as {@link encodeSafetensors}, with one tensor in memory
 * at a time.
 *
 * @example
 * ```ts
 * import { streamSafetensors } from '@attune/weights'
 * const bias = { shape: [2], dtype: 'float32' as const, values: () => Float32Array.of(0.1, -1) }
 * const sizes: number[] = []
 * for await (const part of streamSafetensors({ bias })) sizes.push(part.length)
 * console.log(sizes) // [ 72, 8 ]
 * ```
 */
export async function* streamSafetensors(
  tensors: Readonly<Record<string, TensorSource>>,
): AsyncGenerator<Uint8Array, void> {
  const names = Object.keys(tensors).sort()
  const entries = names.map((name): Entry => {
    const { dtype, shape } = tensors[name]!
    const size = shape.reduce((product, n) => product * n, 1)
    return { name, dtype: NAMES[dtype], shape, bytes: dtype === 'bool' ? size : 4 * size }
  })
  yield encodeHeader(entries, {})
  for (const name of names) yield viewOf(await tensors[name]!.values())
}
