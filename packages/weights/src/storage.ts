import type { HostArray, HostValues } from '@attune/core'
import type { ByteSource } from './byte-source.js'

/**
 * Turns stored bytes into numbers, written to `into` from its element `at` on. `raw` holds whole blocks and begins its
 * buffer. Returns why it cannot, if it cannot.
 */
export type Decode = (raw: Uint8Array<ArrayBuffer>, into: HostValues, at: number) => string | undefined

/** How a type of element lies in a file. */
export interface Storage {
  /** Elements that are stored together. */
  readonly elements: number
  /** The bytes they take together. */
  readonly bytes: number
  /** What they become. */
  readonly dtype: HostArray['dtype']
  /** Left out where the bytes are those of the array. */
  readonly decode?: Decode
}

/** Bytes that are decoded at a time. */
const CHUNK = 1 << 20

/** Room for numbers, zeros as yet. */
const roomFor = (dtype: HostArray['dtype'], count: number): HostValues & { readonly buffer: ArrayBuffer } =>
  dtype === 'float32' ? new Float32Array(count) : dtype === 'int32' ? new Int32Array(count) : new Uint8Array(count)

/**
 * Reads `count` elements that begin at `position`, a chunk at a time: nothing is held but the result and one chunk.
 * @param refuse what to do with a reason why they cannot be decoded
 */
export function readElements(
  source: ByteSource,
  storage: Storage,
  { position, count }: { readonly position: number; readonly count: number },
  refuse: (why: string) => never,
): HostValues {
  const values = roomFor(storage.dtype, count)
  if (storage.decode === undefined) {
    source.read(new Uint8Array(values.buffer), position)
    return values
  }
  const blocks = count / storage.elements
  const most = Math.min(blocks, Math.floor(CHUNK / storage.bytes))
  const chunk = new Uint8Array(most * storage.bytes)
  for (let block = 0; block < blocks; block += most) {
    const raw = chunk.subarray(0, Math.min(most, blocks - block) * storage.bytes)
    source.read(raw, position + block * storage.bytes)
    const why = storage.decode(raw, values, block * storage.elements)
    if (why !== undefined) return refuse(why)
  }
  return values
}
