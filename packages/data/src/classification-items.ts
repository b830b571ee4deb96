import {
  AttuneError,
  type Batch,
  type Compared,
  type Encoded,
  type Example,
  type HostArray,
  type Side,
  type Tokenizer,
} from '@attune/core'
import { missingField } from './missing-field.js'
import { paddedLength } from './padded-length.js'
import { type TextArrays, textArrays } from './text-inputs.js'

/**
 * A text, a name or a number under a field of an example, as text.
 * @throws AttuneError `MISSING_FIELD` with what the example has
 */
export function textOrName(example: Example, field: string, option?: string): string {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw missingField(example, field, 'text or name', option)
}

/** A text's token ids and its target: a class id (−1 where unknown), a number, or one number for each class. */
export interface ClassificationItem<T = number> extends Encoded {
  readonly ids: readonly number[]
  readonly typeIds: readonly number[]
  readonly label: T
}

/** `labels` as a loss compares them: int32 `[batch]`, float32 `[batch]`, or float32 `[batch, n]`. */
export interface ClassificationBatch extends Batch {
  readonly inputs: TextArrays
  readonly labels: HostArray
}

/** How texts with one target each are read and batched. */
export interface ClassificationSettings {
  readonly tokenizer: Pick<Tokenizer, 'encode' | 'special'>
  /** The field of the text, and that of a second one, if there is one. */
  readonly text: string
  readonly pair?: string | undefined
  /** Tokens after which a text is truncated. */
  readonly maximumLength: number
  readonly truncationSide?: Side | undefined
  /** Batches are padded to a multiple of this. Default: 1. */
  readonly padToMultipleOf?: number
  /** The kind of targets. Default: `labels`, a class id each. */
  readonly compares?: Compared
}

/** Targets of a batch as the losses for them expect. */
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
      'Give every example of a batch a target of the same length.',
    )
  return { shape: isRow ? [rows, width] : [rows], dtype: 'float32', values: Float32Array.from(targets.flat()) }
}

/**
 * The encoding and the collation of texts, or pairs of texts, with one target each: what classification, pairs, multi-label, ordinal
 * classification and regression share. An objective adds the head, the loss and the meaning of the outputs.
 * @example
 * const { encode, collate } = classificationItems<number>({ tokenizer, text: 'text', maximumLength: 128, compares: 'numbers' })
 */
export function classificationItems<T extends number | readonly number[] = number>(settings: ClassificationSettings) {
  const { tokenizer, text, pair, padToMultipleOf = 1, compares = 'labels' } = settings
  const { maximumLength, truncationSide } = settings
  return {
    /** @throws AttuneError `MISSING_FIELD` */
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
