import { AttuneError } from '@attune/core'
import { ELEMENT_TYPES } from '../element-types.js'
import { quoted } from '../safetensors-header.js'
import type { Storage } from '../storage.js'
import { SIMPLE_BLOCKS } from './blocks.js'
import type { Cursor } from './cursor.js'
import { SUPER_BLOCKS } from './super-blocks.js'

const MAXIMUM_TENSORS = 65_536
const MAXIMUM_DIMENSIONS = 4
const MAXIMUM_NAME_BYTES = 1000

/** Names of the tensor types, by type id. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  30: 'BF16',
}

const STORAGES: Readonly<Record<string, Storage>> = { ...ELEMENT_TYPES, ...SIMPLE_BLOCKS, ...SUPER_BLOCKS }

/** Returns the storage of a tensor type by name. */
export const storageOf = (dtype: string): Storage => STORAGES[dtype]!

/** Location of a tensor in a GGUF file. */
export interface GgufTensor {
  readonly dtype: string
  /** Row-major shape, slowest dimension first; the format has the reverse order. */
  readonly shape: readonly number[]
  /** Offset from the start of the data section, in bytes. */
  readonly offset: number
  readonly bytes: number
}

function typeNamed(at: Cursor, number: number, name: string, where: string): string {
  const dtype = TYPE_NAMES[number]
  if (dtype !== undefined) return dtype
  if (number > 255) return at.reject(`tensor ${quoted(name)} has unknown type ${number}`)
  throw new AttuneError(
    'UNSUPPORTED_QUANTIZATION',
    `${where}: tensor ${quoted(name)} has unsupported type ${number}`,
    `Use a file with a supported quantization: ${Object.values(TYPE_NAMES).join(', ')}.`,
  )
}

function readInfo(at: Cursor, where: string): [string, GgufTensor] {
  const length = at.count()
  if (length > MAXIMUM_NAME_BYTES) at.reject(`it has a tensor with a name of ${length} bytes`)
  const name = at.text(length)
  const dimensions = at.uint32()
  if (dimensions > MAXIMUM_DIMENSIONS) at.reject(`tensor ${quoted(name)} has ${dimensions} dimensions`)
  const shape = Array.from({ length: dimensions }, () => at.count()).reverse()
  const dtype = typeNamed(at, at.uint32(), name, where)
  const offset = at.count()
  const { elements, bytes } = storageOf(dtype)
  const count = shape.reduce((product, n) => product * n, 1)
  if ((shape.at(-1) ?? 1) % elements !== 0)
    at.reject(
      `rows of tensor ${quoted(name)} have ${shape.at(-1)} elements, not a multiple of the ${elements} of ${dtype}`,
    )
  return [name, { dtype, shape, offset, bytes: (count / elements) * bytes }]
}

/** Reads the infos of `count` tensors. @throws AttuneError `BAD_GGUF`, `UNSUPPORTED_QUANTIZATION`. */
export function readTensorInfos(at: Cursor, count: number, where: string): Map<string, GgufTensor> {
  if (count > MAXIMUM_TENSORS) at.reject(`it has ${count} tensors, more than ${MAXIMUM_TENSORS}`)
  const tensors = new Map<string, GgufTensor>()
  for (let i = 0; i < count; i++) {
    const [name, tensor] = readInfo(at, where)
    if (tensors.has(name)) at.reject(`it has tensor ${quoted(name)} twice`)
    tensors.set(name, tensor)
  }
  return tensors
}

/** Checks that tensors are aligned, do not overlap, and lie within the `size` bytes of data. */
export function checkInfos(
  at: Cursor,
  tensors: ReadonlyMap<string, GgufTensor>,
  alignment: number,
  size: number,
): void {
  let end = 0
  for (const [name, { offset, bytes }] of [...tensors].sort(
    ([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes,
  )) {
    if (offset % alignment !== 0)
      at.reject(`tensor ${quoted(name)} starts at ${offset}, not a multiple of ${alignment}`)
    if (offset < end) at.reject(`tensor ${quoted(name)} overlaps another one`)
    end = offset + bytes
    if (end > size)
      at.reject(`tensor ${quoted(name)} ends at ${end}, but there are ${size} bytes: the file is truncated`)
  }
}
