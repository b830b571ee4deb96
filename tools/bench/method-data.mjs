// @ts-check
/**
 * Data of the comparison of fine-tuning methods, as JSON Lines files: the sections of Debian packages, and examples/spam. Training sets are
 * small, so that a run takes seconds.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { root } from '../check/packages.mjs'

/** @typedef {{ text: string, label: string }} Row */

/** Number of examples in each split. */
export const SIZES = { train: 800, validation: 600, test: 762 }

/** Evenly spaced items. @template T @param {readonly T[]} items @param {number} count */
const spread = (items, count) =>
  Array.from(
    { length: Math.min(count, items.length) },
    (_, i) => items[Math.floor((i * items.length) / Math.min(count, items.length))],
  )

/** @param {string} set @param {string} split @returns {Row[]} */
const rowsOf = (set, split) =>
  gunzipSync(readFileSync(join(root, `examples/${set}/${split}.jsonl.gz`)))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

/** @param {string} folder @param {string} set @param {string} split @param {readonly (Row | undefined)[]} rows */
const write = (folder, set, split, rows) =>
  writeFileSync(
    join(folder, `${set}-${split}.jsonl`),
    rows.map((row) => JSON.stringify({ text: row?.text, label: row?.label })).join('\n'),
  )

/** Writes the splits of both sets. @param {string} folder */
export function writeData(folder) {
  for (const [split, size] of Object.entries(SIZES)) {
    write(folder, 'sections', split, spread(rowsOf('debian-sections', split), size))
    write(folder, 'spam', split, rowsOf('spam', split))
  }
}
