// @ts-check
/**
 * Compares the multi-task model of examples/multi-task with a model for each task, three times with other seeds:
 * `node tools/bench/multi-task.mjs [--write] [--folder FOLDER]`. A task has the same rows, rows per step, epochs and steps in both, and the
 * settings of the example. Runs are in this process, on one core; those that `--folder` already holds are not trained again. `--write`
 * writes the table to the README of the example.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { table } from '@attune/terminal'
import { evaluateRun, run } from '@attune/trainer/node'
import { format, resolveConfig } from 'prettier'
import yaml from 'yaml'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'
import { interval } from './method-tables.mjs'

const EXAMPLE = join(root, 'examples/multi-task')
const PAGE = join(EXAMPLE, 'README.md')
const SEEDS = [7, 8, 9]
const SPLITS = ['train', 'validation', 'test']
const COLUMNS = ['task', 'score', 'multi-task', 'single-task', 'difference', 'relative difference']

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false }, folder: { type: 'string' } } })
const folder = values.folder === undefined ? mkdtempSync(join(tmpdir(), 'attune-multi-task-')) : resolve(values.folder)
mkdirSync(folder, { recursive: true })
const searchPaths = { folders: [root] }
const example = yaml.parse(readFileSync(join(EXAMPLE, 'config.yaml'), 'utf8'))
const { objective, sampler, metric, data: _, ...settings } = example
/** @type {readonly string[]} */
const tasks = Object.keys(objective.tasks)

const rowsOf = (/** @type {string} */ split) =>
  gunzipSync(readFileSync(join(EXAMPLE, `${split}.jsonl.gz`)))
    .toString()
    .trim()
    .split('\n')
for (const split of SPLITS) {
  const rows = rowsOf(split)
  writeFileSync(join(folder, `${split}.jsonl`), rows.join('\n'))
  for (const task of tasks)
    writeFileSync(
      join(folder, `${task}-${split}.jsonl`),
      rows.filter((row) => JSON.parse(row).task === task).join('\n'),
    )
}
const dataOf = (/** @type {string} */ prefix) =>
  Object.fromEntries(SPLITS.map((split) => [split, { use: 'jsonl', path: join(folder, `${prefix}${split}.jsonl`) }]))
const model = join(root, 'examples/models/debian-bert')

/** Settings that all runs share. @param {string} name @param {number} seed */
const commonOf = (name, seed) => ({
  ...settings,
  seed,
  directory: join(folder, `${name}-${seed}`),
  tokenizer: { ...settings.tokenizer, path: model },
  model: { ...settings.model, from: model },
  engine: { use: 'onnxruntime', device: 'cpu', threads: 1 },
})

/** Trains a model, unless the folder already holds it. @param {any} config @returns {Promise<string>} the run folder */
async function trained(config) {
  const { directory } = config
  if (!existsSync(join(directory, 'model'))) {
    const begun = performance.now()
    await run(config, { searchPaths }).forEach(() => undefined)
    console.log(`${directory}: ${((performance.now() - begun) / 1000).toFixed(0)} s`)
  }
  return directory
}

/** One model for all tasks. @param {number} seed */
const multi = (seed) => trained({ ...commonOf('multi', seed), data: dataOf(''), objective, sampler, metric })

/** A model for one task, which reads the last layer. @param {string} task @param {number} seed */
const single = (task, seed) =>
  trained({
    ...commonOf(task, seed),
    data: dataOf(`${task}-`),
    objective: objective.tasks[task],
    metric: metric
      .filter((/** @type {any} */ each) => each.of === task)
      .map((/** @type {any} */ { of: _task, ...rest }) => rest),
    training: { ...settings.training, batchSize: sampler.rows[task] },
  })

/** Reports of each seed on the test split. @type {import('@attune/trainer/node').TaskReport[]} */
const reports = []
for (const seed of SEEDS) {
  /** @type {Record<string, string>} */
  const singles = {}
  for (const task of tasks) singles[task] = await single(task, seed)
  const { tasks: report } = await evaluateRun(await multi(seed), { singles, searchPaths })
  if (report === undefined) throw new Error('expected a report of several tasks')
  reports.push(report)
}

/** @param {readonly number[]} found in [0, 1] @param {string} [unit] */
const shown = (found, unit = '') => {
  const { mean, half } = interval(found)
  return `${(100 * mean).toFixed(1)} ± ${(100 * half).toFixed(1)}${unit}`
}

const rows = tasks.map((task) => {
  const scores = reports.map((report) => report.tasks.find((each) => each.task === task))
  const of = (/** @type {(score: any) => number} */ read) => scores.map(read)
  return [
    `\`${task}\``,
    (scores[0]?.score ?? '').replace(`${task}.`, '').replace('-', ' '),
    shown(of(({ value }) => value)),
    shown(of(({ single: alone }) => alone)),
    shown(of(({ value, single: alone }) => value - alone)),
    shown(
      of(({ difference }) => difference),
      ' %',
    ),
  ]
})
const overall = reports.map((report) => report.overall?.value ?? NaN)
rows.push(['overall, Δm', '', '', '', '', shown(overall, ' %')])
console.log(table(COLUMNS, rows).join('\n'))
if (values.write) {
  const measured = `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim()}, one core, Node ${process.versions.node}.`
  const text = [measured, markdownTable(COLUMNS, rows)].join('\n\n')
  writePart(PAGE, 'results', await format(text, { ...(await resolveConfig(PAGE)), filepath: PAGE }))
}
if (values.folder === undefined) rmSync(folder, { recursive: true })
