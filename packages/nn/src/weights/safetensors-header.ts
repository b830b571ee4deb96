import { AttuneError } from '@attune/core'
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
export const quoted = (name: string): string => JSON.stringify(name.slice(0, 100))

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function parseEntry(name: string, value: unknown, refuse: (why: string) => never) {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>
  const tensor = `tensor ${quoted(name)}`
  if (typeof dtype !== 'string') return refuse(`${tensor} has a dtype that is no text`)
  if (!Object.hasOwn(ELEMENT_TYPES, dtype))
    return refuse(`${tensor} has dtype ${quoted(dtype)}, known are ${Object.keys(ELEMENT_TYPES).join(', ')}`)
  if (!Array.isArray(shape) || shape.length > 16 || !shape.every(isCount)) return refuse(`${tensor} has no sound shape`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return refuse(`${tensor} has no sound data_offsets`)
  const [first, last] = offsets as [number, number]
  const bytes = (shape as number[]).reduce((product, n) => product * n, ELEMENT_TYPES[dtype]!.bytes)
  if (last - first !== bytes)
    return refuse(
      `${tensor} of shape [${shape.join(', ')}] takes ${bytes} bytes, and data_offsets give ${last - first}`,
    )
  return { dtype, shape: shape as number[], position: first, bytes }
}

function parseJson(source: ByteSource, refuse: (why: string) => never): { header: object; start: number } {
  if (source.size < 8) return refuse(`it has ${source.size} bytes, and the length of the header alone takes 8`)
  const first = new Uint8Array(8)
  source.read(first, 0)
  const length = Number(new DataView(first.buffer).getBigUint64(0, true))
  if (length > MAXIMUM_HEADER || length > source.size - 8)
    return refuse(`its header is said to take ${length} bytes, and ${source.size - 8} follow`)
  const bytes = new Uint8Array(length)
  source.read(bytes, 8)
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) return { header, start: 8 + length }
  } catch {
    return refuse('its header is not JSON')
  }
  return refuse('its header is not a JSON object')
}

function parseMetadata(metadata: unknown, refuse: (why: string) => never): Record<string, string> {
  const sound =
    typeof metadata === 'object' &&
    metadata !== null &&
    !Array.isArray(metadata) &&
    Object.values(metadata).every((value) => typeof value === 'string')
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
  const { header, start } = parseJson(source, refuse)
  const { __metadata__: metadata = {}, ...rest } = header as Record<string, unknown>
  const entries = new Map(Object.entries(rest).map(([name, value]) => [name, parseEntry(name, value, refuse)]))
  checkLayout(entries.values(), source.size - start, refuse)
  for (const entry of entries.values()) entry.position += start
  return { entries, metadata: parseMetadata(metadata, refuse) }
}
