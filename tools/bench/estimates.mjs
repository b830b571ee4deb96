// @ts-check
/** Compares the estimates of `attune plan` with the measurements of the run. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { root } from '../check/packages.mjs'

/**
 * An example configuration and settings that change it. `rows` is the number of training rows to use, by default all. Needs at least two
 * epochs, since the steps that include compilation are excluded.
 * @typedef {{ name: string, config: string, settings: readonly string[], rows?: number }} Planned
 */

/** Milliseconds per step, seconds of the run, and peak memory in bytes. @typedef {{ step: number, seconds: number, peak: number }} Costs */

const sections = 'examples/debian-sections'

/** @type {readonly Planned[]} */
export const PLANNED = [
  { name: 'debian-bert, two epochs', config: `${sections}/config.yaml`, settings: ['training.epochs=2'] },
  {
    name: 'debian-bert, micro-batches of 8, gradient checkpointing',
    config: `${sections}/config.yaml`,
    settings: ['training.epochs=2', 'training.microBatchSize=8', 'training.gradientCheckpointing=true'],
  },
  { name: 'one layer from scratch, five epochs', config: `${sections}/from-scratch.yaml`, settings: [] },
]

/** A small configuration for tests: 60 steps. @type {Planned} */
export const SMALL = {
  name: 'one layer from scratch, 60 steps',
  config: `${sections}/from-scratch.yaml`,
  settings: ['training.epochs=2'],
  rows: 960,
}

/** @param {string[]} args @param {string} [peakFile] */
export function attune(args, peakFile = '') {
  const noted = peakFile === '' ? [] : ['--import', join(import.meta.dirname, 'note-peak.mjs')]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...noted, join(root, 'packages/cli/dist/main.js'), ...args],
    { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28, env: { ...process.env, PEAK_FILE: peakFile } },
  )
  if (status !== 0) throw new Error(`attune ${args.join(' ')} failed:\n${stderr}`)
  return stdout
}

/** Writes the first rows of the training data to a file. @param {number} rows @param {string} folder */
export function firstRows(rows, folder) {
  const lines = gunzipSync(readFileSync(join(root, sections, 'train.jsonl.gz')))
    .toString()
    .split('\n')
  const path = join(folder, 'train.jsonl')
  writeFileSync(path, lines.slice(0, rows).join('\n'))
  return path
}

/** Measured costs of a run, from its events. Excludes the first epoch, in which each shape is compiled. @param {string} run @returns {Omit<Costs, 'peak'>} */
function measuredCosts(run) {
  /** @type {any[]} */
  const events = readFileSync(join(run, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const steps = events.filter(({ type, epoch }) => type === 'step.completed' && epoch > 0)
  const milliseconds = steps.map(({ tokens, tokensPerSecond }) => (tokens / tokensPerSecond) * 1000)
  return {
    step: milliseconds.reduce((sum, each) => sum + each, 0) / milliseconds.length,
    seconds: events.find(({ type }) => type === 'run.completed').seconds,
  }
}

/** Plans, runs and compares. @param {Planned} planned @returns {{ name: string, estimated: Costs, measured: Costs }} */
export function compare({ name, config, settings, rows }) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-plan-'))
  try {
    const data = rows === undefined ? [] : [`data.train.path=${JSON.stringify(firstRows(rows, folder))}`]
    const sets = ['engine=onnxruntime', 'tracker=jsonl', ...settings, ...data].flatMap((each) => ['--set', each])
    const found = JSON.parse(attune(['plan', config, '--json', ...sets]))
    const [run, peakFile] = [join(folder, 'run'), join(folder, 'peak')]
    attune(['train', config, '--directory', run, ...sets], peakFile)
    return {
      name,
      estimated: { step: found.stepSeconds * 1000, seconds: found.seconds, peak: found.peakBytes },
      measured: { ...measuredCosts(run), peak: Number(readFileSync(peakFile, 'utf8')) },
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** @param {number} estimated @param {number} measured */
const error = (estimated, measured) =>
  `${estimated < measured ? '−' : '+'}${Math.abs(100 * (estimated / measured - 1)).toFixed()} %`

export const COLUMNS = [
  'run',
  'step ms',
  'measured',
  'error',
  'total s',
  'measured',
  'error',
  'peak MB',
  'measured',
  'error',
]

/** @param {ReturnType<typeof compare>} compared @returns {string[]} */
export const rowOf = ({ name, estimated, measured }) => [
  name,
  ...[estimated.step.toFixed(), measured.step.toFixed(), error(estimated.step, measured.step)],
  ...[estimated.seconds.toFixed(), measured.seconds.toFixed(), error(estimated.seconds, measured.seconds)],
  ...[(estimated.peak / 1e6).toFixed(), (measured.peak / 1e6).toFixed(), error(estimated.peak, measured.peak)],
]
