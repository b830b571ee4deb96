import type { Example, HostArray, Side } from '@attune/core'
import { missingField } from './missing-field.js'
import { type Packing, fillRows } from './pack-sequences.js'
import { attentionMask, padTo } from './pad-to.js'
import { paddedLength } from './padded-length.js'

/**
 * Returns the text in a field of an example.
 * @throws AttuneError `MISSING_FIELD` with the fields of the example
 */
export function textOf(example: Example, field: string, option = 'text'): string {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  if (typeof value === 'string') return value
  throw missingField(example, field, 'text', option)
}

/** Model inputs for texts, int32 `[rows, length]` each. */
export interface TextArrays extends Record<string, HostArray> {
  readonly inputIds: HostArray
  readonly attentionMask: HostArray
  readonly tokenTypeIds: HostArray
  /** Position of each token in its text; present for left padding, because models count from the first column. */
  readonly positionIds?: HostArray
}

/** Model inputs for packed texts, with the position of each token and the index of its text in the row. */
export interface PackedTextArrays extends TextArrays {
  readonly positionIds: HostArray
  readonly segmentIds: HostArray
}

/**
 * Converts token ids into model inputs, padded to `length` with `pad`. Token types default to 0. Pad on the left for batched
 * generation; pad on the right (the default) for models that use the first token, such as BERT.
 */
export const textArrays = (
  ids: readonly (readonly number[])[],
  length: number,
  pad: number,
  types: readonly (readonly number[])[] = ids.map((row) => row.map(() => 0)),
  side: Side = 'right',
): TextArrays => ({
  inputIds: padTo(ids, length, pad, side),
  attentionMask: attentionMask(ids, length, side),
  tokenTypeIds: padTo(types, length, 0, side),
  ...(side === 'right'
    ? {}
    : {
        positionIds: padTo(
          ids.map((row) => row.map((_, i) => i)),
          length,
          0,
          side,
        ),
      }),
})

/** Converts encoded texts into model inputs, one row each, padded to the multiple of a length above the longest. */
export function paddedTexts(
  texts: readonly { readonly ids: readonly number[]; readonly typeIds: readonly number[] }[],
  pad: number,
  multiple: number,
  maximumLength: number,
): TextArrays {
  const ids = texts.map((text) => text.ids)
  const length = paddedLength(Math.max(...ids.map((row) => row.length)), multiple, maximumLength)
  const types = texts.map(({ typeIds }) => typeIds)
  return textArrays(ids, length, pad, types)
}

/** Converts token ids into model inputs according to a packing, in rows of `length`; positions restart with each text. */
export function packedTextArrays(
  ids: readonly (readonly number[])[],
  packing: Packing,
  length: number,
  pad: number,
): PackedTextArrays {
  const each = (value: (at: number, position: number) => number): HostArray =>
    fillRows(
      ids.map((text, at) => text.map((_, position) => value(at, position))),
      packing,
      length,
      0,
    )
  return {
    inputIds: fillRows(ids, packing, length, pad),
    attentionMask: each(() => 1),
    tokenTypeIds: each(() => 0),
    positionIds: each((_, position) => position),
    segmentIds: each((at) => packing.positions[at]!.segment),
  }
}
