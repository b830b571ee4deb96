import { AttuneError, type Key, deriveKey, stream } from '@attune/core'
import { reservoir } from '@attune/trainer'
import { textRows } from '../../../text-rows.js'

/** Texts of a file in random order, and the number of all its texts. */
export interface Sample {
  readonly texts: readonly string[]
  readonly rows: number
}

/**
 * Samples texts of a file uniformly, in one pass and constant memory. Rows without a text are not counted.
 * @param field field of the text; of a file that is not JSONL, CSV or TSV each line is a text
 * @throws AttuneError `EMPTY_DATASET` if all texts are blank; `BAD_ROW` for a row without the field
 */
export async function sampleTexts(file: string, field: string, count: number, key: Key): Promise<Sample> {
  const random = stream(deriveKey(key, file))
  const buffer = reservoir(count, random)
  let rows = 0
  for await (const row of textRows(file, [field])) {
    const text = Object.hasOwn(row, field) ? row[field] : undefined
    if (typeof text !== 'string' || text.trim() === '') continue
    rows++
    buffer.add({ text })
  }
  if (rows === 0)
    throw new AttuneError('EMPTY_DATASET', `${file}: no row has a text in "${field}"`, 'Name the field with --field.')
  return { texts: buffer.sample(count).map(({ text }) => text as string), rows }
}
