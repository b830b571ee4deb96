import type { HostArray, HostValues } from '@attune/core'
import type { ByteSource } from './byte-source.js'

/**
 * Decodes stored bytes into `into` from element `at` on. `raw` holds complete blocks and starts at offset 0 of its buffer. Returns
 * the reason on failure.
 */
export type Decode = (raw: Uint8Array<ArrayBuffer>, into: HostValues, at: number) => string | undefined

/** Storage layout of an element type. */
export interface Storage {
  /** Number of elements per block. */
  readonly elements: number
  /** Number of bytes per block. */
  readonly bytes: number
  /** The decoded type. */
  readonly dtype: HostArray['dtype']
  /** The decoder; absent if the bytes are those of the array. */
  readonly decode?: Decode
}

/** Number of bytes to decode at a time. */
const CHUNK = 1 << 20

/** Allocates an array of zeros. */
const allocate = (dtype: HostArray['dtype'], count: number): HostValues & { readonly buffer: ArrayBuffer } =>
  dtype === 'float32' ? new Float32Array(count) : dtype === 'int32' ? new Int32Array(count) : new Uint8Array(count)

/**
 * Reads `count` elements from `position` on, in chunks: only the result and one chunk are in memory.
 * @param reject throws the error for a reason why the bytes cannot be decoded
 */
export function readElements(
  source: ByteSource,
  storage: Storage,
  { position, count }: { readonly position: number; readonly count: number },
  reject: (why: string) => never,
): HostValues {
  const values = allocate(storage.dtype, count)
  if (storage.decode === undefined) {
    source.read(new Uint8Array(values.buffer), position)
    return values
  }
  const blocks = count / storage.elements
  const chunkBlocks = Math.min(blocks, Math.floor(CHUNK / storage.bytes))
  const chunk = new Uint8Array(chunkBlocks * storage.bytes)
  for (let block = 0; block < blocks; block += chunkBlocks) {
    const raw = chunk.subarray(0, Math.min(chunkBlocks, blocks - block) * storage.bytes)
    source.read(raw, position + block * storage.bytes)
    const why = storage.decode(raw, values, block * storage.elements)
    if (why !== undefined) return reject(why)
  }
  return values
}
