import type { HostValues } from '@attune/core'
import { halfToBits } from './float16.js'
import type { Decode, Storage } from './storage.js'

const bitsOf = (into: HostValues): Uint32Array => new Uint32Array(into.buffer, into.byteOffset, into.length)

/** Decodes integers of a narrower type. */
const widen =
  (view: (raw: ArrayBuffer, length: number) => ArrayLike<number>, width: number): Decode =>
  (raw, into, at) => {
    into.set(view(raw.buffer, raw.length / width), at)
    return undefined
  }

const decodeFloat16: Decode = (raw, into, at) => {
  const bits = bitsOf(into)
  const stored = new Uint16Array(raw.buffer, 0, raw.length / 2)
  for (let i = 0; i < stored.length; i++) bits[at + i] = halfToBits(stored[i]!)
  return undefined
}

const decodeBfloat16: Decode = (raw, into, at) => {
  const bits = bitsOf(into)
  const stored = new Uint16Array(raw.buffer, 0, raw.length / 2)
  for (let i = 0; i < stored.length; i++) bits[at + i] = stored[i]! << 16
  return undefined
}

const decodeFloat64: Decode = (raw, into, at) => {
  const stored = new Float64Array(raw.buffer, 0, raw.length / 8)
  into.set(stored, at)
  for (let i = 0; i < stored.length; i++)
    if (!Number.isFinite(into[at + i]) && Number.isFinite(stored[i])) return 'has values beyond single precision'
  return undefined
}

/** Little-endian 64-bit integers: a value fits into 32 bits if its high word only repeats the sign. */
const decodeInt64: Decode = (raw, into, at) => {
  const words = new Int32Array(raw.buffer, 0, raw.length / 4)
  for (let i = 0; 2 * i < words.length; i++) {
    const low = words[2 * i]!
    if (words[2 * i + 1] !== low >> 31) return 'has integers beyond 32 bits'
    into[at + i] = low
  }
  return undefined
}

const single = { elements: 1 } as const

/** Supported element types of safetensors files, by their names in the format. */
export const ELEMENT_TYPES: Readonly<Record<string, Storage>> = {
  F64: { ...single, bytes: 8, dtype: 'float32', decode: decodeFloat64 },
  F32: { ...single, bytes: 4, dtype: 'float32' },
  F16: { ...single, bytes: 2, dtype: 'float32', decode: decodeFloat16 },
  BF16: { ...single, bytes: 2, dtype: 'float32', decode: decodeBfloat16 },
  I64: { ...single, bytes: 8, dtype: 'int32', decode: decodeInt64 },
  I32: { ...single, bytes: 4, dtype: 'int32' },
  I16: { ...single, bytes: 2, dtype: 'int32', decode: widen((raw, n) => new Int16Array(raw, 0, n), 2) },
  I8: { ...single, bytes: 1, dtype: 'int32', decode: widen((raw, n) => new Int8Array(raw, 0, n), 1) },
  U16: { ...single, bytes: 2, dtype: 'int32', decode: widen((raw, n) => new Uint16Array(raw, 0, n), 2) },
  U8: { ...single, bytes: 1, dtype: 'int32', decode: widen((raw, n) => new Uint8Array(raw, 0, n), 1) },
  BOOL: { ...single, bytes: 1, dtype: 'bool' },
}
