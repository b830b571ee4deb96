import { AttuneError } from '@attune/core'
import type { ByteSource } from '../weights/byte-source.js'

/** Bytes that are read ahead. */
const WINDOW = 1 << 20
const LONGEST_TEXT = 16 * 1024 * 1024

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
  uint32(): number
  /** A whole number of 64 bits, which must be a safe one. */
  count(): number
  text(): string
}

/** A cursor at the beginning of the bytes. */
export function cursorOf(source: ByteSource): Cursor {
  const refuse = (why: string): never => refuseGguf(source.where, why)
  let window = new Uint8Array(0)
  let start = 0
  let position = 0
  const text = new TextDecoder()
  const take = (bytes: number): DataView => {
    if (bytes > source.size - position) return refuse(`it ends at byte ${source.size}, in the middle of its header`)
    if (position < start || position + bytes > start + window.length) {
      window = new Uint8Array(Math.min(source.size - position, Math.max(bytes, WINDOW)))
      source.read(window, position)
      start = position
    }
    const view = new DataView(window.buffer, position - start, bytes)
    position += bytes
    return view
  }
  const count = (): number => {
    const wide = take(8).getBigUint64(0, true)
    return wide > BigInt(Number.MAX_SAFE_INTEGER) ? refuse(`it counts to ${wide}`) : Number(wide)
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
    uint32: () => take(4).getUint32(0, true),
    count,
    text() {
      const bytes = count()
      if (bytes > LONGEST_TEXT) refuse(`it has a text of ${bytes} bytes, more than ${LONGEST_TEXT}`)
      return text.decode(take(bytes))
    },
  }
}
