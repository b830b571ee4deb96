import type { HostValues } from '@attune/core'
import { halfToBits } from './float16.js'
import type { Decode, Storage } from './storage.js'

const bitsOf = (into: HostValues): Uint32Array => new Uint32Array(into.buffer, into.byteOffset, into.length)

/** Numbers of another width, each of which the result can hold. */
const widened =
  (view: (raw: ArrayBuffer, length: number) => ArrayLike<number>, width: number): Decode =>
  (raw, into, at) => {
    into.set(view(raw.buffer, raw.length / width), at)
    return undefined
  }

const halves: Decode = (raw, into, at) => {
  const bits = bitsOf(into)
  const stored = new Uint16Array(raw.buffer, 0, raw.length / 2)
  for (let i = 0; i < stored.length; i++) bits[at + i] = halfToBits(stored[i]!)
  return undefined
}

const brains: Decode = (raw, into, at) => {
  const bits = bitsOf(into)
  const stored = new Uint16Array(raw.buffer, 0, raw.length / 2)
  for (let i = 0; i < stored.length; i++) bits[at + i] = stored[i]! << 16
  return undefined
}

const doubles: Decode = (raw, into, at) => {
  const stored = new Float64Array(raw.buffer, 0, raw.length / 8)
  into.set(stored, at)
  for (let i = 0; i < stored.length; i++)
    if (!Number.isFinite(into[at + i]) && Number.isFinite(stored[i])) return 'holds numbers beyond single precision'
  return undefined
}

/** 64-bit integers, low word first: those whose high word only repeats the sign fit into 32 bits. */
const longs: Decode = (raw, into, at) => {
  const words = new Int32Array(raw.buffer, 0, raw.length / 4)
  for (let i = 0; 2 * i < words.length; i++) {
    const low = words[2 * i]!
    if (words[2 * i + 1] !== low >> 31) return 'has integers beyond 32 bits'
    into[at + i] = low
  }
  return undefined
}

const single = { elements: 1 } as const

/** The element types of safetensors files that can be read, by the names they have there. */
export const ELEMENT_TYPES: Readonly<Record<string, Storage>> = {
  F64: { ...single, bytes: 8, dtype: 'float32', decode: doubles },
  F32: { ...single, bytes: 4, dtype: 'float32' },
  F16: { ...single, bytes: 2, dtype: 'float32', decode: halves },
  BF16: { ...single, bytes: 2, dtype: 'float32', decode: brains },
  I64: { ...single, bytes: 8, dtype: 'int32', decode: longs },
  I32: { ...single, bytes: 4, dtype: 'int32' },
  I16: { ...single, bytes: 2, dtype: 'int32', decode: widened((raw, n) => new Int16Array(raw, 0, n), 2) },
  I8: { ...single, bytes: 1, dtype: 'int32', decode: widened((raw, n) => new Int8Array(raw, 0, n), 1) },
  U8: { ...single, bytes: 1, dtype: 'int32', decode: widened((raw, n) => new Uint8Array(raw, 0, n), 1) },
  BOOL: { ...single, bytes: 1, dtype: 'bool' },
}
