// @ts-check
/** What was measured, in words and tables. */
import { availableParallelism, cpus, totalmem } from 'node:os'
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../check/packages.mjs'

/** @typedef {import('./measure.mjs').Measured} Measured */
/** @typedef {import('./measure.mjs').Row} Row */

const PAGE = join(root, 'docs/benchmarks.md')
const [BEGIN, END] = ['<!-- measured: begin -->', '<!-- measured: end -->']

export const COLUMNS = [
  'peer',
  'step ms',
  'from–to',
  'tokens/s',
  'peak MB',
  'first step s',
  'share of rate',
  'against Attune',
]

/** @param {number | undefined} value @param {number} [digits] */
const fixed = (value, digits = 0) => (value === undefined ? '' : value.toFixed(digits))

/** @param {Measured} measured @returns {string[][]} */
export function tableRows({ rows }) {
  const own = rows.find(({ peer }) => peer === 'attune')?.median
  return rows.map((row) =>
    row.failure !== undefined
      ? [row.peer, `— ${row.failure.replaceAll('|', ' ')}`, '', '', '', '', '', '']
      : [
          row.peer,
          fixed(row.median, (row.median ?? 0) < 100 ? 1 : 0),
          `${fixed(row.fastest)}–${fixed(row.slowest)}`,
          fixed(row.tokensPerSecond),
          fixed((row.peakBytes ?? 0) / 1e6),
          fixed(row.firstStepSeconds, 1),
          row.rateShare === undefined ? '' : `${fixed(100 * row.rateShare)} %`,
          own === undefined ? '' : `${fixed((row.median ?? NaN) / own, 2)} ×`,
        ],
  )
}

/** @param {readonly Measured[]} all @param {string} workload @param {string} peer */
const rowOf = (all, workload, peer) =>
  all
    .find((measured) => measured.workload.name === workload)
    ?.rows.find((row) => row.peer === peer && row.failure === undefined)

/** One bar: what is asked, and what was found. @typedef {{ bar: string, found: string, met: boolean }} Bar */

/** The bars, where both sides were measured. @param {readonly Measured[]} all @returns {Bar[]} */
export function bars(all) {
  /** @type {Bar[]} */
  const found = []
  /** @param {string} bar @param {number | undefined} value @param {(value: number) => boolean} met @param {(value: number) => string} show */
  const add = (bar, value, met, show) => {
    if (value !== undefined && Number.isFinite(value)) found.push({ bar, found: show(value), met: met(value) })
  }
  for (const { workload } of all) {
    const own = rowOf(all, workload.name, 'attune')
    const against = (/** @type {string} */ peer) => rowOf(all, workload.name, peer)
    if (own === undefined || workload.task === 'infer') continue
    const ratio = (/** @type {string} */ peer) => (against(peer)?.median ?? NaN) / (own.median ?? NaN)
    const times = (/** @type {number} */ value) => `${value.toFixed(2)} ×`
    const name = `workload ${workload.name}`
    if (workload.task === 'write') {
      add(`${name}: at least 1.2 × the tokens a second of PyTorch`, ratio('pytorch'), (v) => v >= 1.2, times)
      const other = `${name}: at least 1.2 × the tokens a second of @huggingface/transformers`
      add(other, ratio('transformers-js'), (v) => v >= 1.2, times)
      continue
    }
    add(`${name}: at most 0.9 × the step time of PyTorch eager`, 1 / ratio('pytorch'), (v) => v <= 0.9, times)
    add(`${name}: at least 2 × as fast as tfjs-node`, ratio('tfjs-node'), (v) => v >= 2, times)
    add(`${name}: at least 30 × as fast as TF.js WASM`, ratio('tfjs-wasm'), (v) => v >= 30, times)
    const memory = (own.peakBytes ?? NaN) / (against('pytorch')?.peakBytes ?? NaN)
    add(`${name}: no more memory than PyTorch`, memory, (v) => v <= 1, times)
    if (workload.name === '1')
      add(
        `${name}: first step within 3 s of the start`,
        own.firstStepSeconds,
        (v) => v <= 3,
        (v) => `${v.toFixed(1)} s`,
      )
    if (workload.name === '2')
      add(
        `${name}: at least 70 % of the rate of large products`,
        own.rateShare,
        (v) => v >= 0.7,
        (v) => `${(100 * v).toFixed(0)} %`,
      )
  }
  return found
}

/** The machine and the versions. @param {readonly Measured[]} all */
export function circumstances(all) {
  const version = (/** @type {string} */ name) => createRequire(import.meta.url)(`${name}/package.json`).version
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
    memoryBytes: totalmem(),
    node: process.versions.node,
    onnxruntime: version('onnxruntime-node'),
    tfjs: version('@tensorflow/tfjs'),
    // A device's words may name where it was found.
    peers: [
      ...new Set(all.flatMap(({ rows }) => rows.flatMap(({ ready }) => ready?.replaceAll(`${root}/`, '') ?? []))),
    ],
  }
}

/** @param {readonly string[]} header @param {readonly (readonly string[])[]} rows */
const markdownTable = (header, rows) =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

/** The measured part of docs/benchmarks.md. @param {readonly Measured[]} all @param {ReturnType<typeof circumstances>} about */
export function markdown(all, about) {
  const gigabytes = (about.memoryBytes / 1e9).toFixed(0)
  const head = `Measured on ${about.date}: ${about.processor}, ${gigabytes} GB; Node ${about.node}, ONNX Runtime ${about.onnxruntime}, TensorFlow.js ${about.tfjs}; ${about.peers.join('; ')}.`
  const tables = all.map((measured) => {
    const rate = measured.rate === undefined ? '' : ` Large products: ${measured.rate.toFixed(0)} GFLOP/s.`
    return `### ${measured.workload.name}: ${measured.workload.title}\n\n${markdownTable(COLUMNS, tableRows(measured))}\n\n${rate.trim()}`.trimEnd()
  })
  const rows = bars(all).map(({ bar, found, met }) => [bar, found, met ? 'met' : 'missed'])
  return [head, ...tables, '### Bars', markdownTable(['bar', 'found', ''], rows)].join('\n\n')
}

/** Writes docs/benchmarks.json and the measured part of docs/benchmarks.md. @param {readonly Measured[]} all @param {ReturnType<typeof circumstances>} about */
export function write(all, about) {
  writeFileSync(join(root, 'docs/benchmarks.json'), `${JSON.stringify({ ...about, workloads: all }, null, 2)}\n`)
  const [before, rest] = readFileSync(PAGE, 'utf8').split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error(`${PAGE} lacks ${BEGIN} … ${END}`)
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${markdown(all, about)}\n\n${END}${after}`)
}
