// @ts-check
/**
 * Plans runs, executes them, and prints the estimates next to the measurements: `node tools/bench/plan.mjs [--small] [--write]`.
 * `--small` runs one of 60 steps; `--write` writes the table to docs/measurements/plans.md. Needs an idle machine: load between plan and run counts as an
 * error of the estimate.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpus } from 'node:os'
import { table } from '@attune/terminal'
import { format, resolveConfig } from 'prettier'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'
import { COLUMNS, PLANNED, SMALL, compare, rowOf } from './estimates.mjs'

const { values } = parseArgs({
  options: { small: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
})
const PAGE = join(root, 'docs/measurements/plans.md')

const rows = []
for (const planned of values.small ? [SMALL] : PLANNED) {
  process.stderr.write(`${planned.name} …\n`)
  rows.push(rowOf(compare(planned)))
}
console.log(table(COLUMNS, rows).join('\n'))
if (values.write) {
  const measured = [
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}.`,
    '',
    markdownTable(COLUMNS, rows),
  ].join('\n')
  writePart(PAGE, 'plans', await format(measured, { ...(await resolveConfig(PAGE)), filepath: PAGE }))
}
