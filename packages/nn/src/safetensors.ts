import { AttuneError, type HostArray } from '@attune/core'
import { floatToHalf, halfToFloat } from './float16.js'

/** Bytes an element takes, by the names that the format uses. */
const WIDTHS: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1, BOOL: 1 }
const NAMES = { float32: 'F32', int32: 'I32', bool: 'BOOL' } as const

/** The greatest header that is read, as in the reference implementation. */
const MAXIMUM_HEADER = 100_000_000

/** The content of a safetensors file. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, HostArray>>
  readonly metadata: Readonly<Record<string, string>>
}

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly offsets: readonly [number, number]
}

const refuse = (where: string, why: string): never => {
  throw new AttuneError(
    'BAD_SAFETENSORS',
    `${where} is not a sound safetensors file: ${why}`,
    'Fetch or save the file again; nothing was loaded from it.',
  )
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function parseEntry(name: string, value: unknown, where: string): Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>
  const tensor = `tensor ${JSON.stringify(name.slice(0, 100))}`
  if (typeof dtype !== 'string' || !Object.hasOwn(WIDTHS, dtype))
    return refuse(
      where,
      `${tensor} has dtype ${JSON.stringify(dtype)?.slice(0, 40)}, known are ${Object.keys(WIDTHS).join(', ')}`,
    )
  if (!Array.isArray(shape) || shape.length > 16 || !shape.every(isCount))
    return refuse(where, `${tensor} has no sound shape`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return refuse(where, `${tensor} has no sound data_offsets`)
  const [first, last] = offsets as [number, number]
  const bytes = (shape as number[]).reduce((product, n) => product * n, WIDTHS[dtype]!)
  if (last - first !== bytes)
    return refuse(
      where,
      `${tensor} of shape [${shape.join(', ')}] takes ${bytes} bytes, and data_offsets give ${last - first}`,
    )
  return { dtype, shape: shape as number[], offsets: [first, last] }
}

function parseHeader(bytes: Uint8Array, where: string): Record<string, unknown> {
  if (bytes.length < 8) return refuse(where, `it has ${bytes.length} bytes, and the length of the header alone takes 8`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  if (length > MAXIMUM_HEADER || length > bytes.length - 8)
    return refuse(where, `its header is said to take ${length} bytes, and ${bytes.length - 8} follow`)
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)))
    if (typeof header === 'object' && header !== null && !Array.isArray(header))
      return header as Record<string, unknown>
  } catch {
    return refuse(where, 'its header is not JSON')
  }
  return refuse(where, 'its header is not a JSON object')
}

function parseMetadata(metadata: unknown, where: string): Record<string, string> {
  const sound =
    typeof metadata === 'object' &&
    metadata !== null &&
    !Array.isArray(metadata) &&
    Object.values(metadata).every((value) => typeof value === 'string')
  return sound ? (metadata as Record<string, string>) : refuse(where, 'its __metadata__ is not an object of texts')
}

/** Tensors must follow one another without gap or overlap, and end where the file ends. */
function checkLayout(entries: readonly Entry[], size: number, where: string): void {
  let end = 0
  for (const { offsets } of [...entries].sort((a, b) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1])) {
    if (offsets[0] !== end) refuse(where, `data_offsets leave a gap or overlap at byte ${end}`)
    end = offsets[1]
  }
  if (end !== size)
    refuse(where, `its tensors take ${end} bytes, and ${size} are there: it was cut short or has a tail`)
}

/** The bytes of one tensor as the nearest type that the engines compute in: floats as float32, integers as int32. */
function decode(raw: Uint8Array, { dtype, shape }: Entry, name: string, where: string): HostArray {
  const buffer = new Uint8Array(raw).buffer // a copy: the view may not be aligned, and a Buffer's own slice is a view
  switch (dtype) {
    case 'F32':
      return { shape, dtype: 'float32', values: new Float32Array(buffer) }
    case 'F16':
      return { shape, dtype: 'float32', values: Float32Array.from(new Uint16Array(buffer), halfToFloat) }
    case 'BF16': {
      const bits = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16)
      return { shape, dtype: 'float32', values: new Float32Array(bits.buffer) }
    }
    case 'I32':
      return { shape, dtype: 'int32', values: new Int32Array(buffer) }
    case 'I64': {
      const wide = new BigInt64Array(buffer)
      if (wide.some((n) => BigInt.asIntN(32, n) !== n)) refuse(where, `tensor "${name}" has integers beyond 32 bits`)
      return { shape, dtype: 'int32', values: Int32Array.from(wide, Number) }
    }
    case 'U8':
      return { shape, dtype: 'int32', values: Int32Array.from(raw) }
    default:
      return { shape, dtype: 'bool', values: new Uint8Array(buffer) }
  }
}

/**
 * Reads a safetensors file that is in memory. Half precision becomes float32; 64-bit integers become int32 and must fit.
 * @param where what to call the file in errors
 * @throws AttuneError `BAD_SAFETENSORS` for anything unsound: lengths that lie, overlaps, gaps, unknown types.
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const { __metadata__: metadata = {}, ...header } = parseHeader(bytes, where)
  const start = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const entries = Object.entries(header).map(([name, value]) => [name, parseEntry(name, value, where)] as const)
  checkLayout(
    entries.map(([, entry]) => entry),
    bytes.length - start,
    where,
  )
  const tensors = entries.map(([name, entry]) => {
    const raw = bytes.subarray(start + entry.offsets[0], start + entry.offsets[1])
    return [name, decode(raw, entry, name, where)] as const
  })
  return { tensors: Object.fromEntries(tensors), metadata: parseMetadata(metadata, where) }
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
