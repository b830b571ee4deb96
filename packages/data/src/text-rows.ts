import type { Encoded, Encoding, HostArray } from '@attune/core'
import { paddedLength } from './padded-length.js'
import { type TextArrays, textArrays } from './text-inputs.js'

/** An item with several texts, each in a row of its own: the windows of a document, or the choices of a question. */
export interface RowsItem extends Encoded {
  readonly rows: readonly Pick<Encoding, 'ids' | 'typeIds'>[]
}

/** The rows of a batch, item after item; `examples`, int32 `[rows]`, is the index of the item of each row, or −1 for padding. */
export interface RowArrays {
  readonly inputs: TextArrays
  readonly examples: HostArray
}

/** Settings of {@link textRows}. */
export interface RowsSettings {
  readonly pad: number
  readonly padToMultipleOf: number
  readonly maximumLength: number
  /** `equal`: every item has as many rows as the largest one; `consecutive`: padding rows come last. */
  readonly layout: 'equal' | 'consecutive'
}

/** Multiple that the number of consecutive rows is padded to: a quarter of the items, so that few distinct shapes occur. */
const multipleOf = (items: number): number => Math.max(1, 2 ** Math.floor(Math.log2(items) - 2))

/** The index of the item of each row. */
function exampleOfRows(counts: readonly number[], layout: RowsSettings['layout']): readonly number[] {
  const most = Math.max(...counts)
  const own = (count: number, item: number, rows: number): number[] =>
    Array.from({ length: rows }, (_, row) => (row < count ? item : -1))
  if (layout === 'equal') return counts.flatMap((count, item) => own(count, item, most))
  const filled = counts.flatMap((count, item) => own(count, item, count))
  const multiple = multipleOf(counts.length)
  return [...filled, ...own(0, -1, Math.ceil(filled.length / multiple) * multiple - filled.length)]
}

/**
 * Collates items with several texts into rows: the inputs of the model, and the item of each row. A padding row is one padding
 * token, so that the attention has something to attend to.
 *
 * @example
 * ```ts
 * import { textRows } from '@attune/data'
 * const row = (...ids: number[]) => ({ ids, typeIds: ids.map(() => 0) })
 * const item = (...rows: ReturnType<typeof row>[]) => ({ rows, length: 2, truncated: false })
 * const { inputs, examples } = textRows([item(row(5, 6), row(7)), item(row(8))], {
 *   pad: 0, padToMultipleOf: 1, maximumLength: 4, layout: 'equal',
 * })
 * console.log(inputs.inputIds.values.join(), examples.values.join()) // 5,6,7,0,8,0,0,0 0,0,1,-1
 * ```
 */
export function textRows(
  items: readonly RowsItem[],
  { pad, padToMultipleOf, maximumLength, layout }: RowsSettings,
): RowArrays {
  const examples = exampleOfRows(
    items.map(({ rows }) => rows.length),
    layout,
  )
  const all = items.flatMap(({ rows }) => rows)
  let next = 0
  const placed = examples.map((item) => (item < 0 ? { ids: [pad], typeIds: [0] } : all[next++]!))
  const length = paddedLength(Math.max(...placed.map(({ ids }) => ids.length)), padToMultipleOf, maximumLength)
  return {
    inputs: textArrays(
      placed.map(({ ids }) => ids),
      length,
      pad,
      placed.map(({ typeIds }) => typeIds),
    ),
    examples: { shape: [examples.length], dtype: 'int32', values: Int32Array.from(examples) },
  }
}
