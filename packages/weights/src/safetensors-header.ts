import { AttuneError, excerpt, isRecord, parseJson } from '@attune/core'
import type { ByteSource } from './byte-source.js'
import { ELEMENT_TYPES } from './element-types.js'

/** The greatest header that is read, as in the reference implementation. */
const MAXIMUM_HEADER = 100_000_000

/** Where a tensor lies in a safetensors file. */
export interface SafetensorsEntry {
  readonly dtype: string
  readonly shape: readonly number[]
  /** From the beginning of the file, in bytes. */
  readonly position: number
  readonly bytes: number
}

/** What a safetensors file says of itself. */
export interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  readonly metadata: Readonly<Record<string, string>>
}

/** Refuses a file. */
export const refuseSafetensors = (where: string, why: string): never => {
  throw new AttuneError(
    'BAD_SAFETENSORS',
    `${where} is not a sound safetensors file: ${why}`,
    'Fetch or save the file again; nothing was loaded from it.',
  )
}

/** A name out of a file, short enough for a message. */
export const quoted = (name: string): string => excerpt(name, 100)

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const product = (factors: readonly number[]): number => factors.reduce((all, n) => all * n, 1)

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 16 && value.every(isCount)

function parseEntry(name: string, value: unknown, refuseFile: (why: string) => never) {
  const refuse = (why: string): never => refuseFile(`tensor ${quoted(name)} ${why}`)
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>
  if (typeof dtype !== 'string') return refuse('has a dtype that is no text')
  if (!Object.hasOwn(ELEMENT_TYPES, dtype))
    return refuse(`has dtype ${quoted(dtype)}, known are ${Object.keys(ELEMENT_TYPES).join(', ')}`)
  if (!isShape(shape)) return refuse('has no sound shape')
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return refuse('has no sound data_offsets')
  const [first, last] = offsets as [number, number]
  const bytes = product(shape) * ELEMENT_TYPES[dtype]!.bytes
  if (last - first !== bytes)
    return refuse(`of shape [${shape.join(', ')}] takes ${bytes} bytes, and data_offsets give ${last - first}`)
  // Beside a dimension of 0 the others could be anything.
  if (!isCount(product(shape.filter((n) => n !== 0)))) return refuse('has no sound shape')
  return { dtype, shape, position: first, bytes }
}

function headerIn(source: ByteSource, refuse: (why: string) => never) {
  if (source.size < 8) return refuse(`it has ${source.size} bytes, and the length of the header alone takes 8`)
  const first = new Uint8Array(8)
  source.read(first, 0)
  const length = Number(new DataView(first.buffer).getBigUint64(0, true))
  if (length > MAXIMUM_HEADER || length > source.size - 8)
    return refuse(`its header is said to take ${length} bytes, and ${source.size - 8} follow`)
  const bytes = new Uint8Array(length)
  source.read(bytes, 8)
  try {
    const header = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isRecord(header)) return { header, start: 8 + length }
  } catch {
    return refuse('its header is not JSON')
  }
  return refuse('its header is not a JSON object')
}

function parseMetadata(metadata: unknown, refuse: (why: string) => never): Record<string, string> {
  const sound = isRecord(metadata) && Object.values(metadata).every((value) => typeof value === 'string')
  return sound ? (metadata as Record<string, string>) : refuse('its __metadata__ is not an object of texts')
}

/** Tensors must follow one another without gap or overlap, and end where the file ends. */
function checkLayout(entries: Iterable<SafetensorsEntry>, size: number, refuse: (why: string) => never): void {
  let end = 0
  for (const { position, bytes } of [...entries].sort((a, b) => a.position - b.position || a.bytes - b.bytes)) {
    if (position !== end) refuse(`data_offsets leave a gap or overlap at byte ${end}`)
    end = position + bytes
  }
  if (end !== size) refuse(`its tensors take ${end} bytes, and ${size} are there: it was cut short or has a tail`)
}

/** Reads the header and nothing else. @throws AttuneError `BAD_SAFETENSORS` for anything unsound. */
export function readSafetensorsHeader(source: ByteSource): SafetensorsHeader {
  const refuse = (why: string): never => refuseSafetensors(source.where, why)
  const { header, start } = headerIn(source, refuse)
  const { __metadata__: metadata = {}, ...rest } = header
  const entries = new Map(Object.entries(rest).map(([name, value]) => [name, parseEntry(name, value, refuse)]))
  checkLayout(entries.values(), source.size - start, refuse)
  for (const entry of entries.values()) entry.position += start
  return { entries, metadata: parseMetadata(metadata, refuse) }
}
