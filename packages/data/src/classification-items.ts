import {
  AttuneError,
  type Batch,
  type Compared,
  type Encoded,
  type Example,
  type HostArray,
  type Side,
  type Tokenizer,
  excerpt,
} from '@attune/core'
import { missingField } from './missing-field.js'
import { paddedLength } from './padded-length.js'
import { type TextArrays, textArrays } from './text-inputs.js'

/**
 * Returns a field of an example (string, number or boolean) as a string.
 * @throws AttuneError `MISSING_FIELD` with the fields of the example
 */
export function textOrName(example: Example, field: string, option?: string): string {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw missingField(example, field, 'text or name', option)
}

/**
 * Returns the single label of an example (string, number or boolean) as a string.
 * @throws AttuneError `MISSING_FIELD`
 */
export function labelOf(example: Example, field: string): string {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  if (!Array.isArray(value)) return textOrName(example, field, 'label')
  throw new AttuneError(
    'MISSING_FIELD',
    `expected one label in field "${field}" of an example, got a list: ${excerpt(value, 120)}`,
    'Keep one label for each text. For a label for each word, use `objective: token-classification`.',
  )
}

/** The token ids of a text and its target: a class id (−1 if unknown), a number, or one number per class. */
export interface ClassificationItem<T = number> extends Encoded {
  readonly ids: readonly number[]
  readonly typeIds: readonly number[]
  readonly label: T
}

/** A classification batch; `labels` has the form that the loss expects: int32 `[batch]`, float32 `[batch]` or `[batch, n]`. */
export interface ClassificationBatch extends Batch {
  readonly inputs: TextArrays
  readonly labels: HostArray
}

/** Settings of {@link classificationItems}. */
export interface ClassificationSettings {
  readonly tokenizer: Pick<Tokenizer, 'encode' | 'special'>
  /** The field of the text, and of the second text for pairs. */
  readonly text: string
  readonly pair?: string | undefined
  /** Maximum number of tokens; longer texts are truncated. */
  readonly maximumLength: number
  readonly truncationSide?: Side | undefined
  /** Batches are padded to a multiple of this length. Default: 1. */
  readonly padToMultipleOf?: number
  /** The type of the targets. Default: `labels`, one class id per text. */
  readonly compares?: Compared
}

/** Collates the targets of a batch in the form that the losses expect. */
function targetsOf(targets: readonly (number | readonly number[])[], compares: Compared): HostArray {
  const rows = targets.length
  if (compares === 'labels')
    return { shape: [rows], dtype: 'int32', values: Int32Array.from(targets as readonly number[]) }
  const isRow = compares !== 'numbers'
  const width = isRow ? ((targets[0] as readonly number[] | undefined)?.length ?? 0) : 1
  const ragged = isRow ? targets.find((row) => (row as readonly number[]).length !== width) : undefined
  if (ragged !== undefined)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `classificationItems: expected ${width} numbers for each target, got ${(ragged as readonly number[]).length}`,
      'Make the targets of all examples equally long.',
    )
  return { shape: isRow ? [rows, width] : [rows], dtype: 'float32', values: Float32Array.from(targets.flat()) }
}

/**
 * Encoding and collation of texts, or pairs of texts, with one target each: shared by single-label, multi-label and ordinal
 * classification and by regression. An objective adds the head, the loss and the decoding of the outputs.
 *
 * @example
 * ```ts
 * import { classificationItems } from '@attune/data'
 * const { encode, collate } = classificationItems({
 *   tokenizer: { special: { pad: 0 }, encode: (text) => ({ ids: [text.length], typeIds: [0], truncated: false }) },
 *   text: 'text', maximumLength: 8,
 * })
 * const batch = collate([encode({ text: 'good' }, 1), encode({ text: 'bad' }, 0)])
 * console.log(batch.inputs.inputIds.values, batch.labels.values) // Int32Array(2) [ 4, 3 ] Int32Array(2) [ 1, 0 ]
 * ```
 */
export function classificationItems<T extends number | readonly number[] = number>(settings: ClassificationSettings) {
  const { tokenizer, text, pair, padToMultipleOf = 1, compares = 'labels' } = settings
  const { maximumLength, truncationSide } = settings
  return {
    maximumLength,
    /** Encodes an example with its target. @throws AttuneError `MISSING_FIELD` */
    encode(example: Example, label: T): ClassificationItem<T> {
      const second = pair === undefined ? {} : { pair: textOrName(example, pair) }
      const encoding = tokenizer.encode(textOrName(example, text), { maximumLength, truncationSide, ...second })
      return { ...encoding, length: encoding.ids.length, label }
    },
    collate(items: readonly ClassificationItem<T>[]): ClassificationBatch {
      const longest = Math.max(...items.map((item) => item.length))
      return {
        inputs: textArrays(
          items.map((item) => item.ids),
          paddedLength(longest, padToMultipleOf, maximumLength),
          tokenizer.special.pad ?? 0,
          items.map((item) => item.typeIds),
        ),
        labels: targetsOf(
          items.map((item) => item.label),
          compares,
        ),
      }
    },
  }
}
