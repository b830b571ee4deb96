// @ts-check
/**
 * Measures how long 128 concurrent predictions block the event loop of the main thread, with the predictor on the main thread and in a
 * worker thread: `node tools/bench/serve.mjs [FOLDER] [--write]`. FOLDER is a run or a classifier; by default, a randomly initialized BERT
 * with 4 layers and hidden size 256. `--write` writes the table to docs/measurements/serving.md.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { isAttuneError } from '@attune/core'
import jsonl from '@attune/source-jsonl'
import { table } from '@attune/terminal'
import { openLearner, openPredictor, openWorkerPredictor } from '@attune/trainer/node'
import { format, resolveConfig } from 'prettier'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'

const CALLS = 128
const ROUNDS = 3
const PAGE = join(root, 'docs/measurements/serving.md')
const COLUMNS = ['predictor', 'longest block of the event loop ms', 'predictions/s']
/** The bar for the worker, in milliseconds. */
const BAR = 50

/** First rows of the example's test split. */
async function readRows() {
  const rows = []
  for await (const row of jsonl({ path: join(root, 'examples/debian-sections/test.jsonl.gz') }).open())
    if (rows.push(row) === CALLS) break
  return rows
}

/** Saves a randomly initialized BERT. @param {string} folder @param {readonly import('@attune/core').Example[]} examples */
async function saveModel(folder, examples) {
  const sizes = { hiddenSize: 256, numHiddenLayers: 4, numAttentionHeads: 4, intermediateSize: 1024 }
  const learner = await openLearner(
    {
      tokenizer: { use: 'wordpiece', vocabularySize: 2000 },
      model: { use: 'bert', ...sizes },
      objective: { use: 'sequence-classification', maximumLength: 128 },
    },
    { examples },
  )
  await learner.save(folder)
  await learner.close()
  return folder
}

/**
 * Predicts all rows, each in a separate call; the first round, which compiles, is not measured.
 * @param {import('@attune/trainer').Predictor} predictor @param {readonly import('@attune/core').Example[]} rows
 */
async function measure(predictor, rows) {
  const all = async () => (await Promise.all(rows.map((row) => predictor.predict([row])))).flat()
  await all()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const begun = performance.now()
  let answers = await all()
  for (let round = 1; round < ROUNDS; round++) answers = await all()
  const seconds = (performance.now() - begun) / 1000
  delay.disable()
  await predictor.close()
  const labels = answers.map((answer) => (isAttuneError(answer) ? answer.code : answer['label']))
  return { labels, longest: delay.max / 1e6, rate: (ROUNDS * rows.length) / seconds }
}

/** @param {string} text */
async function write(text) {
  const about = `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}; load average ${loadavg()[0]?.toFixed(1)}.`
  const options = { ...(await resolveConfig(PAGE)), filepath: PAGE }
  writePart(PAGE, 'serving', await format(`${about}\n\n${text}`, options))
}

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const temporary = mkdtempSync(join(tmpdir(), 'attune-serve-'))
try {
  const rows = await readRows()
  const folder = positionals[0] ?? (await saveModel(join(temporary, 'model'), rows))
  const main = await measure(await openPredictor(folder), rows)
  const worker = await measure(await openWorkerPredictor(folder), rows)
  const same = main.labels.filter((label, i) => label === worker.labels[i]).length
  const measured = Object.entries({ 'on the main thread': main, 'in a worker': worker })
  const cells = measured.map(([name, { longest, rate }]) => [name, longest.toFixed(1), rate.toFixed(0)])
  const result = `The bar for the worker is ${BAR} ms. Both predict the same label for ${same} of ${rows.length} texts.`
  console.log([...table(COLUMNS, cells), result].join('\n'))
  if (values.write) await write(`${markdownTable(COLUMNS, cells)}\n\n${result}`)
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
