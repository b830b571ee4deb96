import { AttuneError, excerpt, isRecord, parseJson } from '@attune/core'
import type { ByteSource } from './byte-source.js'
import { ELEMENT_TYPES } from './element-types.js'

/** Maximum header size, as in the reference implementation. */
const MAXIMUM_HEADER = 100_000_000

/** Location of a tensor in a safetensors file. */
export interface SafetensorsEntry {
  readonly dtype: string
  readonly shape: readonly number[]
  /** Offset from the start of the file, in bytes. */
  readonly position: number
  readonly bytes: number
}

/** The header of a safetensors file. */
export interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  readonly metadata: Readonly<Record<string, string>>
}

/** Throws `BAD_SAFETENSORS`. */
export const rejectSafetensors = (where: string, why: string): never => {
  throw new AttuneError(
    'BAD_SAFETENSORS',
    `${where} is not a valid safetensors file: ${why}`,
    'Download or save the file again; nothing was loaded from it.',
  )
}

/** Quotes an untrusted name for a message, truncated. */
export const quoted = (name: string): string => excerpt(name, 100)

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const product = (factors: readonly number[]): number => factors.reduce((all, n) => all * n, 1)

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 16 && value.every(isCount)

/** Element types of the format that cannot be read. */
const UNSUPPORTED = new Set([
  ...['F4', 'F6_E2M3', 'F6_E3M2', 'F8_E8M0', 'F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'],
  ...['U32', 'U64', 'C64'],
])

const unsupportedType = (where: string, name: string, dtype: string): AttuneError =>
  new AttuneError(
    'UNSUPPORTED_TYPE',
    `${where}: tensor ${quoted(name)} has the element type ${dtype}; supported are ${Object.keys(ELEMENT_TYPES).join(', ')}`,
    'Use a version of the model in BF16, F16 or F32, or convert it with `save_pretrained` of transformers.',
  )

function parseEntry(where: string, name: string, value: unknown, rejectFile: (why: string) => never) {
  const reject = (why: string): never => rejectFile(`tensor ${quoted(name)} ${why}`)
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>
  if (typeof dtype !== 'string') return reject('has a dtype that is not a string')
  if (UNSUPPORTED.has(dtype)) throw unsupportedType(where, name, dtype)
  if (!Object.hasOwn(ELEMENT_TYPES, dtype))
    return reject(`has unknown dtype ${quoted(dtype)}; known are ${Object.keys(ELEMENT_TYPES).join(', ')}`)
  if (!isShape(shape)) return reject('has an invalid shape')
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return reject('has invalid data_offsets')
  const [first, last] = offsets as [number, number]
  const bytes = product(shape) * ELEMENT_TYPES[dtype]!.bytes
  if (last - first !== bytes)
    return reject(`of shape [${shape.join(', ')}] needs ${bytes} bytes, but data_offsets span ${last - first}`)
  // With a dimension of 0 the others could be arbitrarily large.
  if (!isCount(product(shape.filter((n) => n !== 0)))) return reject('has an invalid shape')
  return { dtype, shape, position: first, bytes }
}

function headerIn(source: ByteSource, reject: (why: string) => never) {
  if (source.size < 8) return reject(`it has ${source.size} bytes, fewer than the 8 of the header length`)
  const first = new Uint8Array(8)
  source.read(first, 0)
  const length = Number(new DataView(first.buffer).getBigUint64(0, true))
  if (length > MAXIMUM_HEADER || length > source.size - 8)
    return reject(`its header length is ${length} bytes, but ${source.size - 8} bytes follow`)
  const bytes = new Uint8Array(length)
  source.read(bytes, 8)
  try {
    const header = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isRecord(header)) return { header, start: 8 + length }
  } catch {
    return reject('its header is not JSON')
  }
  return reject('its header is not a JSON object')
}

function parseMetadata(metadata: unknown, reject: (why: string) => never): Record<string, string> {
  const isValid = isRecord(metadata) && Object.values(metadata).every((value) => typeof value === 'string')
  return isValid ? (metadata as Record<string, string>) : reject('its __metadata__ is not an object of strings')
}

/** Checks that the tensors fill the file without gaps or overlaps. */
function checkLayout(entries: Iterable<SafetensorsEntry>, size: number, reject: (why: string) => never): void {
  let end = 0
  for (const { position, bytes } of [...entries].sort((a, b) => a.position - b.position || a.bytes - b.bytes)) {
    if (position !== end) reject(`data_offsets leave a gap or overlap at byte ${end}`)
    end = position + bytes
  }
  if (end !== size)
    reject(`its tensors need ${end} bytes, but it has ${size}: the file is truncated or has trailing data`)
}

/** Reads the header only. @throws AttuneError `BAD_SAFETENSORS` for a malformed file; `UNSUPPORTED_TYPE` for an element type that is not read */
export function readSafetensorsHeader(source: ByteSource): SafetensorsHeader {
  const reject = (why: string): never => rejectSafetensors(source.where, why)
  const { header, start } = headerIn(source, reject)
  const { __metadata__: metadata = {}, ...rest } = header
  const entries = new Map(
    Object.entries(rest).map(([name, value]) => [name, parseEntry(source.where, name, value, reject)]),
  )
  checkLayout(entries.values(), source.size - start, reject)
  for (const entry of entries.values()) entry.position += start
  return { entries, metadata: parseMetadata(metadata, reject) }
}
