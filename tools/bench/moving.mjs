// @ts-check
/**
 * Compares fine-tuning methods by short runs: `node tools/bench/moving.mjs [--rates] [--list] [--only TEXT] [--limit N]
 * [--timeout SECONDS] [--write]`.
 * `--rates` first selects learning rates on the validation split; otherwise those found before are used, or defaults. Each run is a process
 * on one core, two at a time; its result is appended to docs/measurements/moving.jsonl, and not run again. A run of more than 300 s is
 * stopped and recorded as failed. `--write` writes the tables to
 * docs/measurements/moving.md.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { table } from '@attune/terminal'
import { run } from '@attune/trainer/node'
import { format, resolveConfig } from 'prettier'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'
import { BATCH, LENGTH, keyOf, rateCells, runOf, testCells } from './method-cells.mjs'
import { SIZES, writeData } from './method-data.mjs'
import { COLUMNS, failuresOf, tablesOf } from './method-tables.mjs'

/** @typedef {import('./method-cells.mjs').Cell} Cell */
/** @typedef {import('./method-tables.mjs').Done | import('./method-tables.mjs').Failed} Result */

const PAGE = join(root, 'docs/measurements/moving.md')

const { values } = parseArgs({
  options: {
    rates: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    limit: { type: 'string', default: 'Infinity' },
    seeds: { type: 'string', default: '1,2,3' },
    timeout: { type: 'string', default: '300' },
    workers: { type: 'string', default: '2' },
    results: { type: 'string', default: join(root, 'docs/measurements/moving.jsonl') },
    cell: { type: 'string' },
    folder: { type: 'string' },
  },
})

/** Runs a cell in this process. @param {Cell} cell @param {string} folder */
async function measure(cell, folder) {
  /** @type {{ accuracy: number, f1: number, share: number, seconds: number, steps: number }} */
  const found = { accuracy: NaN, f1: NaN, share: NaN, seconds: NaN, steps: 0 }
  let begun = process.cpuUsage()
  const config = /** @type {any} */ (runOf(cell, folder))
  await run(config, { searchPaths: { folders: [root] } }).forEach((event) => {
    if (event.type === 'run.started') {
      found.share = event.trainableParameters / event.parameters
      begun = process.cpuUsage()
    }
    if (event.type === 'step.completed') found.steps = event.step
    // Training with compilation, without the start and the evaluation; CPU time, which other processes hardly change.
    if (event.type === 'evaluation.started') {
      const { user, system } = process.cpuUsage(begun)
      found.seconds = (user + system) / 1e6
    }
    if (event.type !== 'evaluation.completed') return
    found.accuracy = Number(event.scores['accuracy']?.value)
    found.f1 = Number(event.scores['macro-f1']?.value)
  })
  return { ...found, peakBytes: process.resourceUsage().maxRSS * 1024 }
}

/** Runs a cell in a process of its own. @param {Cell} cell @param {string} folder @returns {Promise<Result>} */
const inChild = (cell, folder) =>
  new Promise((resolve) => {
    const args = [import.meta.filename, '--cell', JSON.stringify(cell), '--folder', folder]
    const child = spawn(process.execPath, args, { timeout: 1000 * Number(values.timeout) })
    let [output, errors] = ['', '']
    child.stdout.on('data', (/** @type {Buffer} */ data) => (output += data))
    child.stderr.on('data', (/** @type {Buffer} */ data) => (errors = (errors + data).slice(-4000)))
    child.on('close', (status, signal) => {
      const reason = () =>
        errors.split('\n').find((line) => /^(Attune)?\w*Error\b/.test(line)) ??
        `ended with ${status ?? `${signal}, after at most ${values.timeout} s`}`
      const result =
        status === 0 ? JSON.parse(output) : { failure: reason().replaceAll(root, '.').trim().slice(0, 200) }
      resolve({ ...cell, key: keyOf(cell), ...result })
    })
  })

/** Results so far; failures are tried again. @returns {Result[]} */
const recorded = () =>
  !existsSync(values.results)
    ? []
    : readFileSync(values.results, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))

/** The last result of each cell. @param {readonly Cell[]} cells @returns {Result[]} */
function resultsOf(cells) {
  const byKey = new Map(recorded().map((result) => [result.key, result]))
  return cells.flatMap((cell) => byKey.get(keyOf(cell)) ?? [])
}

/** Learning rates with the best validation accuracy. @returns {Map<string, number>} */
function selectedRates() {
  /** @type {Map<string, { rate: number, accuracy: number }>} */
  const best = new Map()
  for (const result of resultsOf(rateCells()))
    if (result.failure === undefined && result.accuracy > (best.get(result.rated)?.accuracy ?? -1))
      best.set(result.rated, result)
  return new Map([...best].map(([name, { rate }]) => [name, rate]))
}

/** Cells of the comparison, with the selected learning rates. @returns {Cell[]} */
function comparison() {
  const rates = selectedRates()
  const cells = testCells(values.seeds.split(',').map(Number))
  return cells.map((cell) => ({ ...cell, rate: rates.get(cell.rated) ?? cell.rate }))
}

/** Runs the missing cells, several at a time. @param {readonly Cell[]} cells */
async function runCells(cells) {
  const done = new Set(resultsOf(cells).flatMap(({ key, failure }) => (failure === undefined ? [key] : [])))
  const missing = cells
    .filter((cell) => !done.has(keyOf(cell)) && keyOf(cell).includes(values.only))
    .slice(0, Number(values.limit))
  if (values.list) return console.log([...missing.map(keyOf), `${missing.length} of ${cells.length} cells`].join('\n'))
  if (missing.length === 0) return
  const folder = mkdtempSync(join(tmpdir(), 'attune-methods-'))
  try {
    writeData(folder)
    let next = 0
    const work = async () => {
      for (let cell = missing[next++]; cell !== undefined; cell = missing[next++]) {
        const begun = performance.now()
        const result = await inChild(cell, folder)
        appendFileSync(values.results, `${JSON.stringify(result)}\n`)
        const seconds = ((performance.now() - begun) / 1000).toFixed(1)
        const outcome = result.failure ?? `accuracy ${result.accuracy.toFixed(3)}`
        process.stderr.write(`${next - 1} of ${missing.length}: ${result.key}: ${outcome}, ${seconds} s\n`)
      }
    }
    await Promise.all(Array.from({ length: Number(values.workers) }, work))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Prints the tables, and writes them to the page. @param {readonly Cell[]} cells */
async function report(cells) {
  const results = resultsOf(cells)
  const tables = tablesOf(results)
  const failures = failuresOf(results)
  for (const { title, rows } of tables) console.log(['', title, ...table(COLUMNS, rows)].join('\n'))
  console.log(failures.join('\n'))
  if (!values.write) return
  const about = `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim()}, one core per run, Node ${process.versions.node}; load average ${loadavg()[0]?.toFixed(1)}. ${SIZES.train} training examples once, in batches of ${BATCH} × ${LENGTH} tokens; ${SIZES.test} test examples.`
  const parts = tables.flatMap(({ title, rows }) => [`## ${title}`, markdownTable(COLUMNS, rows)])
  const failed = failures.length === 0 ? [] : ['## Failed', failures.join('\n')]
  const text = [about, ...parts, ...failed].join('\n\n')
  writePart(PAGE, 'methods', await format(text, { ...(await resolveConfig(PAGE)), filepath: PAGE }))
}

if (values.cell !== undefined) {
  console.log(JSON.stringify(await measure(JSON.parse(values.cell), values.folder ?? '')))
  process.exit()
}
if (values.rates) await runCells(rateCells())
await runCells(comparison())
if (!values.list) await report(comparison())
