// @ts-check
/**
 * Plans runs, runs them and prints what was foretold beside what was taken: `node tools/bench/plan.mjs [--small] [--write]`.
 * `--small` takes one of 60 steps; `--write` puts the table into docs/cli.md. On a machine that does nothing else, for what slows it between
 * plan and run counts as an error of the plan.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpus } from 'node:os'
import { table } from '@attune/text'
import { format, resolveConfig } from 'prettier'
import { root } from '../check/packages.mjs'
import { COLUMNS, PLANNED, SMALL, compare, rowOf } from './forecasts.mjs'

const { values } = parseArgs({
  options: { small: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
})
const PAGE = join(root, 'docs/cli.md')
const [BEGIN, END] = ['<!-- plans: begin -->', '<!-- plans: end -->']

const rows = []
for (const planned of values.small ? [SMALL] : PLANNED) {
  process.stderr.write(`${planned.name} …\n`)
  rows.push(rowOf(compare(planned)))
}
console.log(table(COLUMNS, rows).join('\n'))
if (values.write) {
  const page = readFileSync(PAGE, 'utf8')
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`
  const measured = [
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}.`,
    '',
    ...[line(COLUMNS), line(COLUMNS.map(() => '---')), ...rows.map(line)],
  ].join('\n')
  const [before, after] = [page.slice(0, page.indexOf(BEGIN) + BEGIN.length), page.slice(page.indexOf(END))]
  writeFileSync(
    PAGE,
    await format(`${before}\n\n${measured}\n\n${after}`, { ...(await resolveConfig(PAGE)), filepath: PAGE }),
  )
}
