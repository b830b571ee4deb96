import type { Batch, Encoded, EncodeOptions, HostArray, Tokenizer } from '@attune/core'
import { type Packing, fillRows, packSequences, unpackedRows } from './pack-sequences.js'
import { paddedLength } from './padded-length.js'
import { type TextArrays, packedTextArrays, textArrays } from './text-inputs.js'

/** Token ids of a text. */
export interface NextTokenItem extends Encoded {
  readonly ids: readonly number[]
  /** 1 for tokens that the model learns to predict, 0 for those that it only reads. Default: 1 for all. */
  readonly trained?: readonly number[]
  /** Number of trained spans, such as answers of a conversation, that were truncated entirely. Default: 0. */
  readonly lostSpans?: number
}

/**
 * A batch for next-token prediction. `targets` (int32) are the next tokens, `weights` (float32) 0 where there is none or it does not train;
 * both `[rows, length]`, as is `examples` (int32), for packed rows: the index in the batch of the text that each token belongs to.
 */
export interface NextTokenBatch extends Batch {
  readonly inputs: TextArrays
  readonly targets: HostArray
  readonly weights: HostArray
  readonly examples?: HostArray
}

/** Settings of {@link nextTokens}. */
export interface NextTokenSettings {
  readonly tokenizer: Pick<Tokenizer, 'special' | 'token'>
  /** Maximum number of tokens of a row. */
  readonly maximumLength: number
  readonly padToMultipleOf: number
  /** Packs texts into rows of at most this many tokens. Default: one text per row. */
  readonly packTo?: number | undefined
}

/** Token ids of a text, with the end token if the tokenizer does not append it, truncated to the maximum length. */
export function nextTokenItem(
  { encode, special }: Pick<Tokenizer, 'encode' | 'special'>,
  text: string,
  options: EncodeOptions,
): NextTokenItem {
  const { maximumLength = Infinity } = options
  const { ids: read, truncated } = encode(text, options)
  const isOpen = special.end !== undefined && read.at(-1) !== special.end
  // A text truncated on the left keeps its end.
  const room = truncated && options.truncationSide === 'left' ? maximumLength - 1 : undefined
  if (isOpen && room !== undefined) {
    const ids = [...encode(text, { ...options, maximumLength: room }).ids, special.end as number]
    return { ids, length: ids.length, truncated }
  }
  const ids = isOpen && !truncated ? [...read, special.end as number].slice(0, maximumLength) : [...read]
  return { ids, length: ids.length, truncated }
}

const asFloats = (array: HostArray): HostArray => ({
  ...array,
  dtype: 'float32',
  values: Float32Array.from(array.values as Int32Array),
})

/** The index of each text, repeated for each of its tokens. */
const textIndices = (texts: readonly (readonly number[])[]): readonly number[][] =>
  texts.map((tokens, at) => tokens.map(() => at))

/**
 * Collation of texts for next-token prediction, and the view `tokens` of each text: at each token the target is the next one.
 * With `packTo`, rows also have position ids and segment ids, and each text is in one row.
 */
export function nextTokens({ tokenizer, maximumLength, padToMultipleOf, packTo }: NextTokenSettings) {
  const pad = tokenizer.special.pad ?? 0
  const word = (id: number): string => tokenizer.token(id) ?? ''
  const packingOf = (items: readonly NextTokenItem[]): Packing => {
    const lengths = items.map(({ ids }) => ids.length)
    return packTo === undefined ? unpackedRows(lengths) : packSequences(lengths, packTo)
  }
  return {
    collate(items: readonly NextTokenItem[]): NextTokenBatch {
      const texts = items.map(({ ids }) => ids)
      const packing = packingOf(items)
      const length = paddedLength(packing.length, padToMultipleOf, Math.max(maximumLength, packTo ?? 0))
      const next = texts.map((ids) => ids.slice(1))
      const weights = items.map(({ trained }, at) => trained?.slice(1) ?? next[at]!.map(() => 1))
      return {
        inputs: packTo === undefined ? textArrays(texts, length, pad) : packedTextArrays(texts, packing, length, pad),
        targets: fillRows(next, packing, length, 0),
        weights: asFloats(fillRows(weights, packing, length, 0)),
        ...(packTo === undefined ? {} : { examples: fillRows(textIndices(next), packing, length, 0) }),
      }
    },
    /** Predictions of the trained tokens of each text; `best` is the argmax prediction at each position, `[rows, length]`. */
    predict({ values, shape }: HostArray, items: readonly NextTokenItem[]): readonly { tokens: string[] }[] {
      return packingOf(items).positions.map(({ row, start }, i) => {
        const { ids, trained } = items[i]!
        const from = row * shape[1]! + start
        const best = Array.from(values.subarray(from, from + ids.length - 1) as Int32Array)
        return { tokens: best.filter((_, at) => trained?.[at + 1] !== 0).map(word) }
      })
    },
    /** The tokens of a text that the model learns to predict. */
    reference: ({ ids, trained }: NextTokenItem): { tokens: string[] } => ({
      tokens: ids
        .slice(1)
        .filter((_, at) => trained?.[at + 1] !== 0)
        .map(word),
    }),
  }
}
