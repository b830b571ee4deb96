import { AttuneError } from '@attune/core'
import { ELEMENT_TYPES } from '../element-types.js'
import { quoted } from '../safetensors-header.js'
import type { Storage } from '../storage.js'
import { SIMPLE_BLOCKS } from './blocks.js'
import type { Cursor } from './cursor.js'
import { SUPER_BLOCKS } from './super-blocks.js'

const MOST_TENSORS = 65_536
const MOST_DIMENSIONS = 4
const LONGEST_NAME = 1000

/** The names of the types of tensors by the numbers that the format gives them. */
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

/** How a type of tensor is stored, by its name. */
export const storageOf = (dtype: string): Storage => STORAGES[dtype]!

/** Where a tensor lies in a GGUF file. */
export interface GgufTensor {
  readonly dtype: string
  /** The slowest dimension first, as everywhere else; the format has it the other way round. */
  readonly shape: readonly number[]
  /** From the beginning of the data, in bytes. */
  readonly offset: number
  readonly bytes: number
}

function typeNamed(at: Cursor, number: number, name: string, where: string): string {
  const dtype = TYPE_NAMES[number]
  if (dtype !== undefined) return dtype
  if (number > 255) return at.refuse(`tensor ${quoted(name)} is of type ${number}`)
  throw new AttuneError(
    'UNSUPPORTED_QUANTIZATION',
    `${where}: tensor ${quoted(name)} is stored as type ${number} of the format, which Attune does not read`,
    `Fetch a file of another quantisation: ${Object.values(TYPE_NAMES).join(', ')} are read.`,
  )
}

function readInfo(at: Cursor, where: string): [string, GgufTensor] {
  const length = at.count()
  if (length > LONGEST_NAME) at.refuse(`it has a tensor with a name of ${length} bytes`)
  const name = at.text(length)
  const dimensions = at.uint32()
  if (dimensions > MOST_DIMENSIONS) at.refuse(`tensor ${quoted(name)} has ${dimensions} dimensions`)
  const shape = Array.from({ length: dimensions }, () => at.count()).reverse()
  const dtype = typeNamed(at, at.uint32(), name, where)
  const offset = at.count()
  const { elements, bytes } = storageOf(dtype)
  const count = shape.reduce((product, n) => product * n, 1)
  if ((shape.at(-1) ?? 1) % elements !== 0)
    at.refuse(
      `rows of tensor ${quoted(name)} have ${shape.at(-1)} elements, no multiple of the ${elements} of ${dtype}`,
    )
  return [name, { dtype, shape, offset, bytes: (count / elements) * bytes }]
}

/** Reads what is said of so many tensors. @throws AttuneError `BAD_GGUF`, `UNSUPPORTED_QUANTIZATION`. */
export function readTensorInfos(at: Cursor, count: number, where: string): Map<string, GgufTensor> {
  if (count > MOST_TENSORS) at.refuse(`it has ${count} tensors, more than ${MOST_TENSORS}`)
  const tensors = new Map<string, GgufTensor>()
  for (let i = 0; i < count; i++) {
    const [name, tensor] = readInfo(at, where)
    if (tensors.has(name)) at.refuse(`it has tensor ${quoted(name)} twice`)
    tensors.set(name, tensor)
  }
  return tensors
}

/** Tensors must begin at multiples of the alignment, and lie within the `size` bytes of data without overlap. */
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
    if (offset % alignment !== 0) at.refuse(`tensor ${quoted(name)} begins at ${offset}, no multiple of ${alignment}`)
    if (offset < end) at.refuse(`tensor ${quoted(name)} begins within another`)
    end = offset + bytes
    if (end > size) at.refuse(`tensor ${quoted(name)} ends at ${end}, and there are ${size} bytes: it was cut short`)
  }
}
