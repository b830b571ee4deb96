/** The kinds of pieces, by the numbers that the format gives them. */
export const PIECE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/** What a file of SentencePiece holds of its model. */
export interface SentencePieceFile {
  readonly pieces: readonly { readonly text: string; readonly score: number; readonly type: number }[]
  readonly algorithm: 'unigram' | 'bpe'
  readonly byteFallback: boolean
  readonly unknownId: number
  readonly beginId: number
  readonly endId: number
  readonly padId: number
  /** The rules that texts are normalized by, in base64; absent where there are none. */
  readonly rules?: string
  readonly addsSpaceBefore: boolean
}

/** The value of a field: a whole number, or bytes. */
type Value = number | Uint8Array

const [VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES] = [0, 1, 2, 5]

/** Thrown by the reading of broken bytes, for {@link readSentencePiece} to say what was read. */
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

/** The fields of a message in the wire format of Protocol Buffers, in order. */
function* fields(bytes: Uint8Array): Generator<readonly [field: number, value: Value]> {
  for (let at = 0; at < bytes.length;) {
    const [key, start] = varint(bytes, at)
    const wire = key % 8
    let end = start
    let value: Value
    if (wire === VARINT) [value, end] = varint(bytes, start)
    else {
      const [size, from] =
        wire === LENGTH
          ? varint(bytes, start)
          : [wire === FOUR_BYTES ? 4 : wire === EIGHT_BYTES ? 8 : broken(`it has a field of type ${wire}`), start]
      end = from + size
      if (end > bytes.length) broken('it ends within a field')
      value = bytes.subarray(from, end)
    }
    yield [Math.floor(key / 8), value]
    at = end
  }
}

const message = (bytes: Value | undefined): ReadonlyMap<number, Value> =>
  typeof bytes === 'object' ? new Map(fields(bytes)) : new Map<number, Value>()
const decoder = new TextDecoder()
const textIn = (value: Value | undefined): string => (typeof value === 'object' ? decoder.decode(value) : '')
/** Whole numbers may be negative, in two's complement of 32 or 64 bits. */
const numberIn = (value: Value | undefined, otherwise: number): number =>
  typeof value === 'number' ? (value > 0x7fffffff ? value | 0 || -1 : value) : otherwise
const floatIn = (value: Value | undefined): number =>
  typeof value === 'object' && value.length === 4
    ? new DataView(value.buffer, value.byteOffset, 4).getFloat32(0, true)
    : 0

function pieceIn(value: Value) {
  const piece = message(value)
  const score = floatIn(piece.get(2))
  return {
    text: textIn(piece.get(1)),
    score: Number.isFinite(score) ? score : broken('a piece has a score that is no number'),
    type: numberIn(piece.get(3), PIECE.normal),
  }
}

/**
 * Reads a file of SentencePiece, a message of Protocol Buffers, as far as it bears on how texts are cut.
 * @returns why not, if it is none
 */
export function readSentencePiece(bytes: Uint8Array): SentencePieceFile | { readonly refused: string } {
  try {
    const all = [...fields(bytes)]
    const [training, normalizing] = [2, 3].map((field) => message(all.findLast(([name]) => name === field)?.[1]))
    const pieces = all.flatMap(([name, value]) => (name === 1 ? [pieceIn(value)] : []))
    const algorithm = numberIn(training!.get(3), 1)
    if (pieces.length === 0) return { refused: 'it has no pieces' }
    if (algorithm !== 1 && algorithm !== 2) return { refused: 'it is neither a unigram nor a byte-pair model' }
    const rules = normalizing!.get(2)
    return {
      pieces,
      algorithm: algorithm === 1 ? 'unigram' : 'bpe',
      byteFallback: numberIn(training!.get(35), 0) === 1,
      unknownId: numberIn(training!.get(40), 0),
      beginId: numberIn(training!.get(41), 1),
      endId: numberIn(training!.get(42), 2),
      padId: numberIn(training!.get(43), -1),
      ...(typeof rules === 'object' && rules.length > 0 ? { rules: Buffer.from(rules).toString('base64') } : {}),
      addsSpaceBefore: numberIn(normalizing!.get(3), 1) === 1,
    }
  } catch (error) {
    if (error instanceof RangeError) return { refused: error.message }
    throw error
  }
}
