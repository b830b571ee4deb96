// @ts-check
/** Formats measurements as tables and notes. */
import { availableParallelism, cpus, totalmem } from 'node:os'
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'

/** @typedef {import('./measure.mjs').Measured} Measured */
/** @typedef {import('./measure.mjs').Row} Row */
/** Date, machine and versions of a measurement. @typedef {{ date: string, cpu: string, memoryBytes: number, node: string, onnxruntime: string, tfjs: string, peers: string[] }} Circumstances */
/** @typedef {Measured & { circumstances: Circumstances }} Recorded */

const PAGE = join(root, 'docs/measurements/benchmarks.md')
const RECORDS = join(root, 'docs/measurements/benchmarks.json')

/** By device: the key in the records, and the generated part of the page. */
const DEVICES = /** @type {const} */ ({
  cpu: { records: 'workloads', part: 'measured' },
  gpu: { records: 'gpu', part: 'measured on a GPU' },
})

export const COLUMNS = [
  'peer',
  'step ms',
  'from–to',
  'tokens/s',
  'peak MB',
  'first step s',
  'utilization',
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

/** A note on the peers whose generated texts differ from those of the first, or none. @param {Measured} measured @returns {string[]} */
export function differences({ rows }) {
  const [first, ...others] = rows.filter(({ otherTexts }) => otherTexts !== undefined)
  const different = others.flatMap(({ peer, otherTexts = 0, steps = 0 }) =>
    otherTexts > 0 ? [`${peer} in ${otherTexts} of ${steps}`] : [],
  )
  if (first === undefined || others.length === 0) return []
  return [
    different.length === 0
      ? 'All generated the same texts.'
      : `Texts that differ from those of ${first.peer}: ${different.join(', ')}.`,
  ]
}

/** @param {readonly Measured[]} all @param {string} workload @param {string} peer */
const rowOf = (all, workload, peer) =>
  all
    .find((measured) => measured.workload.name === workload)
    ?.rows.find((row) => row.peer === peer && row.failure === undefined)

/** A performance target and its measurement. @typedef {{ target: string, measured: string, met: boolean }} Target */

/** The targets for which both sides were measured. @param {readonly Measured[]} all @returns {Target[]} */
export function targets(all) {
  /** @type {Target[]} */
  const found = []
  /** @param {string} target @param {number | undefined} value @param {(value: number) => boolean} met @param {(value: number) => string} show */
  const add = (target, value, met, show) => {
    if (value !== undefined && Number.isFinite(value)) found.push({ target, measured: show(value), met: met(value) })
  }
  for (const { workload } of all) {
    const own = rowOf(all, workload.name, 'attune')
    const against = (/** @type {string} */ peer) => rowOf(all, workload.name, peer)
    if (own === undefined || workload.task === 'infer') continue
    const ratio = (/** @type {string} */ peer) => (against(peer)?.median ?? NaN) / (own.median ?? NaN)
    const times = (/** @type {number} */ value) => `${value.toFixed(2)} ×`
    const name = `workload ${workload.name}`
    if (workload.task === 'write') {
      const ahead = (against('attune-ahead')?.median ?? NaN) / (own.median ?? NaN)
      for (const [peer, called] of Object.entries({
        pytorch: 'PyTorch',
        'transformers-js': '@huggingface/transformers',
      })) {
        const target = `${name}: at least 1.2 × the tokens per second of ${called}`
        add(target, ratio(peer), (v) => v >= 1.2, times)
        add(`${target}, with speculative decoding`, ratio(peer) / ahead, (v) => v >= 1.2, times)
      }
      continue
    }
    add(`${name}: at most 0.9 × the step time of PyTorch eager`, 1 / ratio('pytorch'), (v) => v <= 0.9, times)
    add(`${name}: at least 2 × as fast as tfjs-node`, ratio('tfjs-node'), (v) => v >= 2, times)
    const shipped = `${name}: at least 30 × as fast as TF.js WASM as shipped`
    add(shipped, ratio('tfjs-wasm-stock'), (v) => v >= 30, times)
    const improved = `${name}: at least 30 × as fast as TF.js WASM with the kernels of its plugin`
    add(improved, ratio('tfjs-wasm'), (v) => v >= 30, times)
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
        `${name}: at least 70 % of the rate of large matrix products`,
        own.rateShare,
        (v) => v >= 0.7,
        (v) => `${(100 * v).toFixed(0)} %`,
      )
  }
  return found
}

/** Machine and versions of a measurement. @param {Measured} measured @returns {Circumstances} */
export function circumstances({ rows }) {
  const version = (/** @type {string} */ name) => createRequire(import.meta.url)(`${name}/package.json`).version
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
    memoryBytes: totalmem(),
    node: process.versions.node,
    onnxruntime: version('onnxruntime-node'),
    tfjs: version('@tensorflow/tfjs'),
    // The device description may contain a path of this machine.
    peers: [...new Set(rows.flatMap(({ ready }) => ready?.replaceAll(`${root}/`, '') ?? []))],
  }
}

/** @param {Circumstances} about */
const where = ({ date, cpu, memoryBytes, node, onnxruntime, tfjs, peers }) =>
  `Measured on ${date}: ${cpu}, ${(memoryBytes / 1e9).toFixed(0)} GB; Node ${node}, ONNX Runtime ${onnxruntime}, TensorFlow.js ${tfjs}; ${peers.join('; ')}.`

/** A generated part of docs/measurements/benchmarks.md. @param {readonly Recorded[]} all @param {keyof typeof DEVICES} device targets are listed for the CPU */
export function markdown(all, device = 'cpu') {
  const sections = all.map((recorded) => {
    const { workload, rate, circumstances: about } = recorded
    const products = rate === undefined ? [] : [`Large matrix products: ${rate.toFixed(0)} GFLOP/s.`]
    const notes = [where(about), ...products, ...differences(recorded)].join(' ')
    return `### ${workload.name}: ${workload.title}\n\n${markdownTable(COLUMNS, tableRows(recorded))}\n\n${notes}`
  })
  if (device === 'gpu') return sections.join('\n\n')
  const rows = targets(all).map(({ target, measured, met }) => [target, measured, met ? 'met' : 'missed'])
  return [...sections, '### Targets', markdownTable(['target', 'measured', ''], rows)].join('\n\n')
}

/** Replaces the measurements of the same workloads by new ones; sorted by name. @param {readonly Recorded[]} before @param {readonly Recorded[]} now @returns {Recorded[]} */
export function merged(before, now) {
  const names = new Set(now.map(({ workload }) => workload.name))
  const kept = before.filter(({ workload }) => !names.has(workload.name))
  return [...kept, ...now].sort((a, b) => (a.workload.name < b.workload.name ? -1 : 1))
}

/** Writes docs/measurements/benchmarks.json and a generated part of docs/measurements/benchmarks.md; other workloads are kept. @param {readonly Recorded[]} now @param {keyof typeof DEVICES} device */
export function write(now, device) {
  const { records, part } = DEVICES[device]
  const known = JSON.parse(readFileSync(RECORDS, 'utf8'))
  const all = merged(known[records] ?? [], now)
  writeFileSync(RECORDS, `${JSON.stringify({ ...known, [records]: all }, null, 2).replaceAll(`${root}/`, '')}\n`)
  writePart(PAGE, part, markdown(all, device))
}
