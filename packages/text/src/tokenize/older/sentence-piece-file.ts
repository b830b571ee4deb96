/** Token types, with the numbers of the format. */
export const TOKEN_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/** Model in a SentencePiece file. */
export interface SentencePieceFile {
  readonly tokens: readonly { readonly text: string; readonly score: number; readonly type: number }[]
  readonly algorithm: 'unigram' | 'bpe'
  readonly byteFallback: boolean
  readonly unknownId: number
  readonly beginId: number
  readonly endId: number
  readonly padId: number
  /** Normalization rules in base64; absent if there are none. */
  readonly rules?: string
  readonly addsSpaceBefore: boolean
}

/** Value of a field: an integer, or a range of bytes. */
type Value = number | { readonly start: number; readonly end: number }

const [VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES] = [0, 1, 2, 5]

/** Throws the error for invalid bytes, which {@link readSentencePiece} returns as the reason. */
const broken = (why: string): never => {
  throw new RangeError(why)
}

function varint(bytes: Uint8Array, at: number): readonly [value: number, next: number] {
  let [value, factor] = [0, 1]
  for (let i = at; i < at + 10; i++) {
    const byte = bytes[i] ?? broken('it ends within a number')
    value += (byte & 0x7f) * factor
    factor *= 128
    if (byte < 0x80) return [value, i + 1]
  }
  return broken('it has a number of more than ten bytes')
}

/** Calls back with the fields of a message in the Protocol Buffers wire format, in order. */
function eachField(
  bytes: Uint8Array,
  { start, end: last }: Exclude<Value, number>,
  found: (field: number, value: Value) => void,
): void {
  for (let at = start; at < last;) {
    const [key, from] = varint(bytes, at)
    const wire = key % 8
    let end = from
    let value: Value
    if (wire === VARINT) [value, end] = varint(bytes, from)
    else {
      const [size, begin] =
        wire === LENGTH
          ? varint(bytes, from)
          : [wire === FOUR_BYTES ? 4 : wire === EIGHT_BYTES ? 8 : broken(`it has a field of type ${wire}`), from]
      end = begin + size
      value = { start: begin, end }
    }
    if (end > last) broken('it ends within a field')
    found(Math.floor(key / 8), value)
    at = end
  }
}

/** Selected fields of a message, with the last value of each. Others are skipped. */
function fieldsOf(bytes: Uint8Array, message: Value | undefined, names: readonly number[]): (Value | undefined)[] {
  const values: (Value | undefined)[] = names.map(() => undefined)
  if (typeof message === 'object')
    eachField(bytes, message, (name, value) => {
      const index = names.indexOf(name)
      if (index >= 0) values[index] = value
    })
  return values
}

const decoder = new TextDecoder()
const bytesIn = (bytes: Uint8Array, value: Value | undefined): Uint8Array =>
  typeof value === 'object' ? bytes.subarray(value.start, value.end) : new Uint8Array(0)
/** Integers may be negative, in two's complement of 32 or 64 bits. */
const numberIn = (value: Value | undefined, otherwise: number): number =>
  typeof value === 'number' ? (value > 0x7fffffff ? value | 0 || -1 : value) : otherwise

function floatIn(bytes: Uint8Array, value: Value | undefined): number {
  if (typeof value !== 'object' || value.end - value.start !== 4) return 0
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(value.start, true)
}

function tokenIn(bytes: Uint8Array, message: Value) {
  const [text, score, type] = fieldsOf(bytes, message, [1, 2, 3])
  const number = floatIn(bytes, score)
  return {
    text: decoder.decode(bytesIn(bytes, text)),
    score: Number.isFinite(number) ? number : broken('a token has a score that is not a number'),
    type: numberIn(type, TOKEN_TYPE.normal),
  }
}

/**
 * Reads the tokenization model of a SentencePiece file, which is a Protocol Buffers message.
 * @returns the reason if it is invalid
 */
export function readSentencePiece(bytes: Uint8Array): SentencePieceFile | { readonly refused: string } {
  try {
    const tokens: ReturnType<typeof tokenIn>[] = []
    const whole = { start: 0, end: bytes.length }
    eachField(bytes, whole, (name, value) => {
      if (name === 1) tokens.push(tokenIn(bytes, value))
    })
    const [training, normalizing] = fieldsOf(bytes, whole, [2, 3])
    const [kind, fallback, unknown, begin, end, pad] = fieldsOf(bytes, training, [3, 35, 40, 41, 42, 43])
    const [rules, prefix] = fieldsOf(bytes, normalizing, [2, 3])
    const algorithm = numberIn(kind, 1)
    if (tokens.length === 0) return { refused: 'its vocabulary is empty' }
    if (algorithm !== 1 && algorithm !== 2) return { refused: 'expected a unigram or byte-pair model' }
    const charsmap = bytesIn(bytes, rules)
    return {
      tokens,
      algorithm: algorithm === 1 ? 'unigram' : 'bpe',
      byteFallback: numberIn(fallback, 0) === 1,
      unknownId: numberIn(unknown, 0),
      beginId: numberIn(begin, 1),
      endId: numberIn(end, 2),
      padId: numberIn(pad, -1),
      ...(charsmap.length > 0 ? { rules: Buffer.from(charsmap).toString('base64') } : {}),
      addsSpaceBefore: numberIn(prefix, 1) === 1,
    }
  } catch (error) {
    if (error instanceof RangeError) return { refused: error.message }
    throw error
  }
}
