import { AttuneError } from '@attune/core'
import type { ByteSource } from '../byte-source.js'

/** Number of bytes to read ahead. */
const WINDOW = 1 << 20
const MAXIMUM_STRING_BYTES = 16 * 1024 * 1024
/** The high word of 2⁵³, the first unsafe integer. */
const UNSAFE = 2 ** 21

/** Throws `BAD_GGUF`. */
export const rejectGguf = (where: string, why: string): never => {
  throw new AttuneError(
    'BAD_GGUF',
    `${where} is not a valid GGUF file: ${why}`,
    'Download the file again; nothing was loaded from it.',
  )
}

/** Sequential reader of little-endian numbers and strings. */
export interface Cursor {
  /** The position of the next byte in the file. */
  readonly position: number
  /** Number of bytes up to the end of the file. */
  readonly remaining: number
  readonly reject: (why: string) => never
  /** Reads bytes; the view is valid until the next call. */
  take(bytes: number): DataView
  /** Skips bytes without reading them. */
  skip(bytes: number): void
  uint32(): number
  /** Reads a 64-bit unsigned integer, which must be a safe integer. */
  count(): number
  /** Reads a string of so many bytes. Default: the length that {@link Cursor.count} reads before it. */
  text(bytes?: number): string
}

/** The part of a file that is buffered. */
interface Window {
  bytes: Buffer
  start: number
}

/** Ensures that so many bytes from `position` on are buffered. Returns their offset in the window. */
function fill(window: Window, source: ByteSource, position: number, bytes: number): number {
  if (position < window.start || position + bytes > window.start + window.bytes.length) {
    window.bytes = Buffer.alloc(Math.min(source.size - position, Math.max(bytes, WINDOW)))
    window.start = position
    source.read(window.bytes, position)
  }
  return position - window.start
}

/** Creates a cursor at the start of the bytes. */
export function cursorOf(source: ByteSource): Cursor {
  const reject = (why: string): never => rejectGguf(source.where, why)
  const window: Window = { bytes: Buffer.alloc(0), start: 0 }
  let position = 0
  const skip = (bytes: number): void => {
    if (bytes > source.size - position) reject(`it ends at byte ${source.size}, in the middle of its header`)
    position += bytes
  }
  const advance = (bytes: number): number => {
    skip(bytes)
    return fill(window, source, position - bytes, bytes)
  }
  const take = (bytes: number): DataView => {
    const at = advance(bytes)
    return new DataView(window.bytes.buffer, window.bytes.byteOffset + at, bytes)
  }
  const uint32 = (): number => take(4).getUint32(0, true)
  const count = (): number => {
    const [low, high] = [uint32(), uint32()]
    return high < UNSAFE ? high * 2 ** 32 + low : reject(`it has a count of ${(BigInt(high) << 32n) + BigInt(low)}`)
  }
  return {
    get position() {
      return position
    },
    get remaining() {
      return source.size - position
    },
    reject,
    take,
    skip,
    uint32,
    count,
    text(bytes = count()) {
      if (bytes > MAXIMUM_STRING_BYTES) reject(`it has a string of ${bytes} bytes, more than ${MAXIMUM_STRING_BYTES}`)
      const at = advance(bytes)
      return window.bytes.toString('utf8', at, at + bytes)
    },
  }
}
