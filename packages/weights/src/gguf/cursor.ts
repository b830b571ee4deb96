import { AttuneError } from '@attune/core'
import type { ByteSource } from '../byte-source.js'

/** Bytes that are read ahead. */
const WINDOW = 1 << 20
const LONGEST_TEXT = 16 * 1024 * 1024
/** The high word of 2⁵³. */
const UNSAFE = 2 ** 21

/** Refuses a file. */
export const refuseGguf = (where: string, why: string): never => {
  throw new AttuneError(
    'BAD_GGUF',
    `${where} is not a sound GGUF file: ${why}`,
    'Fetch the file again; nothing was loaded from it.',
  )
}

/** Reads numbers and texts one after the other, little end first. */
export interface Cursor {
  /** The next byte's place in the file. */
  readonly position: number
  /** Bytes from there to the end. */
  readonly left: number
  readonly refuse: (why: string) => never
  /** The next bytes, as a view that holds until the next call. */
  take(bytes: number): DataView
  /** Passes over so many bytes, of which none is read. */
  skip(bytes: number): void
  uint32(): number
  /** A whole number of 64 bits, which must be a safe one. */
  count(): number
  /** The next text, of so many bytes: those that {@link Cursor.count} gives before it. */
  text(bytes?: number): string
}

/** The part of a file that was read last. */
interface Window {
  bytes: Buffer
  start: number
}

/** Reads ahead so that so many bytes from `position` on are in the window. Returns where they begin in it. */
function fill(window: Window, source: ByteSource, position: number, bytes: number): number {
  if (position < window.start || position + bytes > window.start + window.bytes.length) {
    window.bytes = Buffer.alloc(Math.min(source.size - position, Math.max(bytes, WINDOW)))
    window.start = position
    source.read(window.bytes, position)
  }
  return position - window.start
}

/** A cursor at the beginning of the bytes. */
export function cursorOf(source: ByteSource): Cursor {
  const refuse = (why: string): never => refuseGguf(source.where, why)
  const window: Window = { bytes: Buffer.alloc(0), start: 0 }
  let position = 0
  const skip = (bytes: number): void => {
    if (bytes > source.size - position) refuse(`it ends at byte ${source.size}, in the middle of its header`)
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
    return high < UNSAFE ? high * 2 ** 32 + low : refuse(`it counts to ${(BigInt(high) << 32n) + BigInt(low)}`)
  }
  return {
    get position() {
      return position
    },
    get left() {
      return source.size - position
    },
    refuse,
    take,
    skip,
    uint32,
    count,
    text(bytes = count()) {
      if (bytes > LONGEST_TEXT) refuse(`it has a text of ${bytes} bytes, more than ${LONGEST_TEXT}`)
      const at = advance(bytes)
      return window.bytes.toString('utf8', at, at + bytes)
    },
  }
}
