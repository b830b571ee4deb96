// @ts-check
/** What was measured, in words and tables. */
import { availableParallelism, cpus, totalmem } from 'node:os'
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'

/** @typedef {import('./measure.mjs').Measured} Measured */
/** @typedef {import('./measure.mjs').Row} Row */
/** Where and with what something was measured. @typedef {{ date: string, processor: string, memoryBytes: number, node: string, onnxruntime: string, tfjs: string, peers: string[] }} Circumstances */
/** @typedef {Measured & { circumstances: Circumstances }} Recorded */

const PAGE = join(root, 'docs/benchmarks.md')
const RECORDS = join(root, 'docs/benchmarks.json')

/** What was measured where: its name in the records, and that of the part of the page that has its tables. */
const PLACES = /** @type {const} */ ({
  processor: { records: 'workloads', part: 'measured' },
  gpu: { records: 'gpu', part: 'measured on a GPU' },
})

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

/** Which peers wrote other texts than the first, in a line of its own, or none. @param {Measured} measured @returns {string[]} */
export function differences({ rows }) {
  const [first, ...others] = rows.filter(({ otherTexts }) => otherTexts !== undefined)
  const told = others.flatMap(({ peer, otherTexts = 0, steps = 0 }) =>
    otherTexts > 0 ? [`${peer} in ${otherTexts} of ${steps}`] : [],
  )
  if (first === undefined || others.length === 0) return []
  return [told.length === 0 ? 'All wrote the same texts.' : `Other texts than ${first.peer} wrote: ${told.join(', ')}.`]
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
      const ahead = (against('attune-ahead')?.median ?? NaN) / (own.median ?? NaN)
      for (const [peer, called] of Object.entries({
        pytorch: 'PyTorch',
        'transformers-js': '@huggingface/transformers',
      })) {
        const bar = `${name}: at least 1.2 × the tokens a second of ${called}`
        add(bar, ratio(peer), (v) => v >= 1.2, times)
        add(`${bar}, guessing ahead`, ratio(peer) / ahead, (v) => v >= 1.2, times)
      }
      continue
    }
    add(`${name}: at most 0.9 × the step time of PyTorch eager`, 1 / ratio('pytorch'), (v) => v <= 0.9, times)
    add(`${name}: at least 2 × as fast as tfjs-node`, ratio('tfjs-node'), (v) => v >= 2, times)
    const shipped = `${name}: at least 30 × as fast as TF.js WASM as shipped`
    add(shipped, ratio('tfjs-wasm-stock'), (v) => v >= 30, times)
    const improved = `${name}: at least 30 × as fast as TF.js WASM with the kernels of its plugin here`
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
        `${name}: at least 70 % of the rate of large products`,
        own.rateShare,
        (v) => v >= 0.7,
        (v) => `${(100 * v).toFixed(0)} %`,
      )
  }
  return found
}

/** The machine and the versions. @param {Measured} measured @returns {Circumstances} */
export function circumstances({ rows }) {
  const version = (/** @type {string} */ name) => createRequire(import.meta.url)(`${name}/package.json`).version
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
    memoryBytes: totalmem(),
    node: process.versions.node,
    onnxruntime: version('onnxruntime-node'),
    tfjs: version('@tensorflow/tfjs'),
    // A device's words may name where it was found.
    peers: [...new Set(rows.flatMap(({ ready }) => ready?.replaceAll(`${root}/`, '') ?? []))],
  }
}

/** @param {Circumstances} about */
const where = ({ date, processor, memoryBytes, node, onnxruntime, tfjs, peers }) =>
  `Measured on ${date}: ${processor}, ${(memoryBytes / 1e9).toFixed(0)} GB; Node ${node}, ONNX Runtime ${onnxruntime}, TensorFlow.js ${tfjs}; ${peers.join('; ')}.`

/** A measured part of docs/benchmarks.md. @param {readonly Recorded[]} all @param {keyof typeof PLACES} place bars are of the processor */
export function markdown(all, place = 'processor') {
  const sections = all.map((recorded) => {
    const { workload, rate, circumstances: about } = recorded
    const products = rate === undefined ? [] : [`Large products: ${rate.toFixed(0)} GFLOP/s.`]
    const notes = [where(about), ...products, ...differences(recorded)].join(' ')
    return `### ${workload.name}: ${workload.title}\n\n${markdownTable(COLUMNS, tableRows(recorded))}\n\n${notes}`
  })
  if (place === 'gpu') return sections.join('\n\n')
  const rows = bars(all).map(({ bar, found, met }) => [bar, found, met ? 'met' : 'missed'])
  return [...sections, '### Bars', markdownTable(['bar', 'found', ''], rows)].join('\n\n')
}

/** What was measured before, with what was measured now in the place of the same workloads, in the order of their names. @param {readonly Recorded[]} before @param {readonly Recorded[]} now @returns {Recorded[]} */
export function merged(before, now) {
  const names = new Set(now.map(({ workload }) => workload.name))
  const kept = before.filter(({ workload }) => !names.has(workload.name))
  return [...kept, ...now].sort((a, b) => (a.workload.name < b.workload.name ? -1 : 1))
}

/** Writes docs/benchmarks.json and a measured part of docs/benchmarks.md; what stands there for other workloads stays. @param {readonly Recorded[]} now @param {keyof typeof PLACES} place */
export function write(now, place) {
  const { records, part } = PLACES[place]
  const known = JSON.parse(readFileSync(RECORDS, 'utf8'))
  const all = merged(known[records] ?? [], now)
  writeFileSync(RECORDS, `${JSON.stringify({ ...known, [records]: all }, null, 2).replaceAll(`${root}/`, '')}\n`)
  writePart(PAGE, part, markdown(all, place))
}
