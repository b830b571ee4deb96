// @ts-check
/** Data files: CSV, TSV, JSON Lines and plain lines, compressed and uncompressed. */
import { join } from 'node:path'
import { readLines } from '@attune/data/files'
import { loadPlugin } from '../plugins.mjs'
import { builtPlugins } from '../seeds.mjs'

/** @import { AnyPlugin, Source } from '@attune/core' */
/** @import { Target } from '../target.mjs' */

const CSV = 'text,label\n"a, b",x\nplain,"y ""z"""\n"two\nlines",x\n\nnaïve 🙂,y\n'
const TSV = CSV.replaceAll(',', '\t')
const JSONL = '{"text":"a b","label":"x"}\n\n{"text":"naïve 🙂","label":"y","more":[1,{"a":null}]}\n{"text":"c"}\n'
const LINES = 'one line\r\nanother line\n\nand one without an end: 東京 🙂'

/** Reads all rows. @param {Source} source */
async function readRows(source) {
  for await (const example of source.open(() => undefined, ['text', 'label'])) void example
}

/** @param {AnyPlugin} plugin @param {string} name @param {string} file @param {string} text @param {object} options @returns {Target[]} */
const ofSource = (plugin, name, file, text, options) =>
  ['', '.gz'].map((ending) => ({
    name: `${name}${ending === '' ? '' : ', compressed'}`,
    files: true,
    valid: [{ [file + ending]: text }],
    read: (_, folder) => readRows(/** @type {Source} */ (plugin({ path: join(folder, file + ending), ...options }))),
  }))

/** @returns {Promise<Target[]>} */
export async function targets() {
  const plugins = new Map(
    await Promise.all(
      builtPlugins('source').map(async ({ name, module }) => /** @type {const} */ ([name, await loadPlugin(module)])),
    ),
  )
  const [csv, jsonl] = ['csv', 'jsonl'].map((name) => /** @type {AnyPlugin} */ (plugins.get(name)))
  return [
    ...ofSource(csv, 'CSV', 'rows.csv', CSV, { onBadRow: 'skip' }),
    ...ofSource(csv, 'TSV', 'rows.tsv', TSV, { onBadRow: 'skip', delimiter: '\t' }),
    ...ofSource(jsonl, 'JSON Lines', 'rows.jsonl', JSONL, { onBadRow: 'skip' }),
    ...['', '.gz'].map((ending) => ({
      name: `text lines${ending === '' ? '' : ', compressed'}`,
      files: true,
      valid: [{ [`lines.txt${ending}`]: LINES }],
      async read(/** @type {unknown} */ _, /** @type {string} */ folder) {
        for await (const lines of readLines(join(folder, `lines.txt${ending}`))) void lines
      },
    })),
  ]
}
