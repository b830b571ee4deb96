// @ts-check
/** Holds what `attune plan` foretells to what the run then takes. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { root } from '../check/packages.mjs'

/**
 * A configuration of an example, with settings that change it; `rows` are those of the training file that are used, all if
 * left out. At least two epochs, since steps are compared without those that are compiled.
 * @typedef {{ name: string, config: string, settings: readonly string[], rows?: number }} Planned
 */

/** Milliseconds of a step, seconds of the run and bytes at its peak. @typedef {{ step: number, seconds: number, peak: number }} Taken */

const sections = 'examples/debian-sections'

/** @type {readonly Planned[]} */
export const PLANNED = [
  { name: 'debian-bert, two epochs', config: `${sections}/config.yaml`, settings: ['training.epochs=2'] },
  {
    name: 'debian-bert, in parts of 8, layers computed again',
    config: `${sections}/config.yaml`,
    settings: ['training.epochs=2', 'training.microBatchSize=8', 'training.gradientCheckpointing=true'],
  },
  { name: 'one layer from scratch, five epochs', config: `${sections}/from-scratch.yaml`, settings: [] },
]

/** One for tests: 60 steps of a small model. @type {Planned} */
export const SMALL = {
  name: 'one layer from scratch, 60 steps',
  config: `${sections}/from-scratch.yaml`,
  settings: ['training.epochs=2'],
  rows: 960,
}

/** @param {string[]} args @param {string} [peakFile] */
function attune(args, peakFile = '') {
  const noted = peakFile === '' ? [] : ['--import', join(import.meta.dirname, 'note-peak.mjs')]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...noted, join(root, 'packages/cli/dist/main.js'), ...args],
    { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28, env: { ...process.env, PEAK_FILE: peakFile } },
  )
  if (status !== 0) throw new Error(`attune ${args.join(' ')} failed:\n${stderr}`)
  return stdout
}

/** The first rows of a training file, in a file of their own. @param {number} rows @param {string} folder */
function firstRows(rows, folder) {
  const lines = gunzipSync(readFileSync(join(root, sections, 'train.jsonl.gz')))
    .toString()
    .split('\n')
  const path = join(folder, 'train.jsonl')
  writeFileSync(path, lines.slice(0, rows).join('\n'))
  return path
}

/** What a run took, by its events. Steps of the first epoch are left out: each shape is compiled then. @param {string} run @returns {Omit<Taken, 'peak'>} */
function takenBy(run) {
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

/** Plans, runs and compares. @param {Planned} planned @returns {{ name: string, foretold: Taken, taken: Taken }} */
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
      foretold: { step: found.stepSeconds * 1000, seconds: found.seconds, peak: found.peakBytes },
      taken: { ...takenBy(run), peak: Number(readFileSync(peakFile, 'utf8')) },
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** @param {number} foretold @param {number} taken */
const error = (foretold, taken) =>
  `${foretold < taken ? '−' : '+'}${Math.abs(100 * (foretold / taken - 1)).toFixed()} %`

export const COLUMNS = ['run', 'step ms', 'taken', 'error', 'whole s', 'taken', 'error', 'peak MB', 'taken', 'error']

/** @param {ReturnType<typeof compare>} compared @returns {string[]} */
export const rowOf = ({ name, foretold, taken }) => [
  name,
  ...[foretold.step.toFixed(), taken.step.toFixed(), error(foretold.step, taken.step)],
  ...[foretold.seconds.toFixed(), taken.seconds.toFixed(), error(foretold.seconds, taken.seconds)],
  ...[(foretold.peak / 1e6).toFixed(), (taken.peak / 1e6).toFixed(), error(foretold.peak, taken.peak)],
]
