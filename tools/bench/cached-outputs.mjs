// @ts-check
/**
 * Measures the epochs of a classification head on a frozen encoder of MiniLM's size, with and without `training.cacheOutputs`:
 * `node tools/bench/cached-outputs.mjs [--write]`. Each run is a process of its own. `--write` writes the table to
 * docs/measurements/cached-outputs.md.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { table } from '@attune/terminal'
import { run } from '@attune/trainer/node'
import { format, resolveConfig } from 'prettier'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'
import { firstRows } from './estimates.mjs'

const PAGE = join(root, 'docs/measurements/cached-outputs.md')
const [ROWS, BATCH, LENGTH] = [256, 16, 128]
const COLUMNS = ['outputs', 'first epoch s', 'a later epoch s', 'peak MB', 'loss after three epochs']

/** Measured epochs of a run; the first includes the computation of the cached outputs. @typedef {{ epochs: number[], loss: number, peakBytes: number }} Measured */

/** @param {boolean} cacheOutputs */
const configOf = (cacheOutputs) => ({
  seed: 7,
  data: { train: { use: 'jsonl', path: 'train.jsonl' }, validation: { use: 'jsonl', path: 'train.jsonl' } },
  tokenizer: { use: 'wordpiece', path: join(root, 'examples/models/debian-bert') },
  model: {
    use: 'bert',
    vocabSize: 30522,
    hiddenSize: 384,
    numHiddenLayers: 6,
    numAttentionHeads: 12,
    intermediateSize: 1536,
    hiddenDropoutProb: 0,
    attentionProbsDropoutProb: 0,
  },
  objective: { use: 'sequence-classification', maximumLength: LENGTH, padToMultipleOf: LENGTH },
  adapter: 'head-only',
  scheduler: 'constant',
  engine: 'onnxruntime',
  // One evaluation, after the last step, outside of the measured epochs.
  training: {
    epochs: cacheOutputs ? 6 : 3,
    batchSize: BATCH,
    learningRate: 1e-3,
    evaluateEvery: 1_000_000,
    cacheOutputs,
  },
})

/** Runs one configuration in this process. @param {boolean} cacheOutputs @param {string} folder @returns {Promise<Measured>} */
async function measure(cacheOutputs, folder) {
  const config = configOf(cacheOutputs)
  /** @type {number[]} */
  const epochs = []
  let [begun, loss] = [NaN, NaN]
  await run(/** @type {any} */ (config), { baseDirectory: folder, searchPaths: { folders: [root] } }).forEach(
    (event) => {
      if (event.type === 'run.started') begun = performance.now()
      if (event.type !== 'step.completed') return
      if (event.epoch === 2) loss = event.loss
      const isLast = event.step % (event.steps / config.training.epochs) === 0
      if (!isLast) return
      epochs.push((performance.now() - begun) / 1000)
      begun = performance.now()
    },
  )
  return { epochs, loss, peakBytes: process.resourceUsage().maxRSS * 1024 }
}

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
/** @param {Measured} measured */
const later = ({ epochs }) => median(epochs.slice(1))

/** @param {boolean} cacheOutputs @returns {Measured} */
function inChild(cacheOutputs) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-cached-'))
  try {
    firstRows(ROWS, folder)
    const child = spawnSync(
      process.execPath,
      [import.meta.filename, '--child', String(cacheOutputs), '--folder', folder],
      {
        encoding: 'utf8',
      },
    )
    if (child.status !== 0) throw new Error(child.stderr)
    return JSON.parse(child.stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** @param {string} name @param {Measured} measured @returns {string[]} */
const rowOf = (name, measured) => [
  name,
  measured.epochs[0]?.toFixed(2) ?? '',
  later(measured).toFixed(3),
  (measured.peakBytes / 1e6).toFixed(),
  measured.loss.toFixed(6),
]

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, child: { type: 'string' }, folder: { type: 'string' } },
})
if (values.child !== undefined) {
  console.log(JSON.stringify(await measure(values.child === 'true', values.folder ?? '')))
  process.exit()
}
const [plain, cached] = [inChild(false), inChild(true)]
const rows = [rowOf('computed in each epoch', plain), rowOf('cached', cached)]
const ratio = `A later epoch is ${(later(plain) / later(cached)).toFixed(0)} × faster with cached outputs; the bar is 10 ×.`
console.log([...table(COLUMNS, rows), ratio].join('\n'))
if (values.write) {
  const about = `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}; load average ${loadavg()[0]?.toFixed(1)}.`
  const text = [about, '', markdownTable(COLUMNS, rows), '', ratio].join('\n')
  writePart(PAGE, 'cached outputs', await format(text, { ...(await resolveConfig(PAGE)), filepath: PAGE }))
}
