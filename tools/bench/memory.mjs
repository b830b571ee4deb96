// @ts-check
/**
 * Measures the peak memory of fine-tuning on texts of different lengths, of its plan, and of the same run in PyTorch:
 * `node tools/bench/memory.mjs [--write]`. `PYTHON` names a Python with torch, transformers and tokenizers. `--write` writes the table to
 * docs/measurements/memory.md.
 */
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { table } from '@attune/terminal'
import { format, resolveConfig } from 'prettier'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'
import { COLUMNS, RUNS, measureMemory, rowOf } from './memory-runs.mjs'

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } })
const PAGE = join(root, 'docs/measurements/memory.md')

/** Writes the rows so far to the page. @param {string[][]} rows */
async function write(rows) {
  const measured = [
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}.`,
    '',
    markdownTable(COLUMNS, rows),
  ].join('\n')
  writePart(PAGE, 'memory', await format(measured, { ...(await resolveConfig(PAGE)), filepath: PAGE }))
}

/** @type {string[][]} */
const rows = []
for (const run of RUNS) {
  process.stderr.write(`${run.name} …\n`)
  rows.push(rowOf(measureMemory(run)))
  if (values.write) await write(rows)
}
console.log(table(COLUMNS, rows).join('\n'))
