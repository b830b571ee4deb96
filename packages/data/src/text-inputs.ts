import type { Example, HostArray, Side } from '@attune/core'
import { missingField } from './missing-field.js'
import { type Packing, fillRows } from './pack-sequences.js'
import { attentionMask, padTo } from './pad-to.js'

/**
 * The text under a field of an example.
 * @throws AttuneError `MISSING_FIELD` with what the example has
 */
export function textOf(example: Example, field: string, option = 'text'): string {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  if (typeof value === 'string') return value
  throw missingField(example, field, 'text', option)
}

/** What a model reads of texts, int32 `[rows, length]` each. */
export interface TextArrays extends Record<string, HostArray> {
  readonly inputIds: HostArray
  readonly attentionMask: HostArray
  readonly tokenTypeIds: HostArray
  /** Where each token stands in its text; there where padding comes before it, for models count from the first place. */
  readonly positionIds?: HostArray
}

/** What a model reads of texts of which several share a row: the places of tokens and the number of their text, too. */
export interface PackedTextArrays extends TextArrays {
  readonly positionIds: HostArray
  readonly segmentIds: HostArray
}

/**
 * Token ids as a model's inputs, padded to `length` with `pad`. Types are 0 where none are given. Padding is on the right unless
 * it is to be on the left, as for rows that are written on together; models that read a text by its first place, as BERT does,
 * want it on the right.
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

/** Token ids as a model's inputs, laid out as `packing` says in rows of `length`: places begin anew with each text. */
export function packedTextArrays(
  ids: readonly (readonly number[])[],
  packing: Packing,
  length: number,
  pad: number,
): PackedTextArrays {
  const each = (value: (at: number, place: number) => number): HostArray =>
    fillRows(
      ids.map((text, at) => text.map((_, place) => value(at, place))),
      packing,
      length,
      0,
    )
  return {
    inputIds: fillRows(ids, packing, length, pad),
    attentionMask: each(() => 1),
    tokenTypeIds: each(() => 0),
    positionIds: each((_, place) => place),
    segmentIds: each((at) => packing.positions[at]!.segment),
  }
}
