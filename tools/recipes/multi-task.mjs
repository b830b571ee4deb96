// @ts-check
/**
 * Writes the data of examples/multi-task: slices of three other examples, with the task of each row. The splits are those of the examples.
 * `node tools/recipes/multi-task.mjs`
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { root } from '../check/packages.mjs'

const SOURCES = { tagging: 'part-of-speech', section: 'debian-sections', spam: 'spam' }
const SIZES = {
  train: { tagging: 300, section: 600, spam: 300 },
  validation: { tagging: 150, section: 200, spam: 150 },
  test: { tagging: 300, section: 300, spam: 300 },
}

/** First rows of a task. @param {string} split @param {string} task @param {number} size */
const rowsOf = (split, task, size) =>
  gunzipSync(
    readFileSync(join(root, 'examples', SOURCES[/** @type {keyof typeof SOURCES} */ (task)], `${split}.jsonl.gz`)),
  )
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ label }) => label !== 'education') // 11 packages, none of them in the training rows
    .slice(0, size)
    .map(({ package: _, ...row }) => JSON.stringify({ task, ...row }))

const digest = (/** @type {string} */ line) => createHash('sha256').update(line).digest('hex')

for (const [split, sizes] of Object.entries(SIZES)) {
  const lines = Object.entries(sizes)
    .flatMap(([task, size]) => rowsOf(split, task, size))
    .map((line) => ({ line, key: digest(line) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const text = lines.map(({ line }) => `${line}\n`).join('')
  writeFileSync(join(root, `examples/multi-task/${split}.jsonl.gz`), gzipSync(text, { level: 9 }))
  console.log(`${split}: ${lines.length} rows`)
}
