// @ts-check
/**
 * Benchmarks Attune and its peers: `node tools/bench/run.mjs [--gpu] [--workloads 1,2] [--peers attune,pytorch] [--write]`.
 * `--gpu` selects the peers that run on a GPU. Prints tables; `--write` writes them to docs/measurements/benchmarks.md and docs/measurements/benchmarks.json,
 * replacing those of the same workloads.
 */
import { parseArgs } from 'node:util'
import { table } from '@attune/terminal'
import { check, measure } from './measure.mjs'
import { GPU_PEERS, PEERS, absent, does } from './peers.mjs'
import { COLUMNS, circumstances, differences, tableRows, targets, write } from './report.mjs'
import { CHECKS, WORKLOADS } from './workloads.mjs'

const { values } = parseArgs({
  options: {
    workloads: { type: 'string', default: WORKLOADS.map(({ name }) => name).join() },
    peers: { type: 'string' },
    gpu: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})

/** Selects items by name, in their original order. @template {{ name: string }} T @param {readonly T[]} all @param {string} names */
function chosen(all, names) {
  const wanted = names.split(',')
  const unknown = wanted.filter((name) => !all.some((each) => each.name === name))
  if (unknown.length === 0) return all.filter(({ name }) => wanted.includes(name))
  throw new Error(`unknown name ${unknown.join(', ')}: expected ${all.map(({ name }) => name).join(', ')}`)
}

/** @param {string} text */
const log = (text) => process.stderr.write(`${text}\n`)

const usual = values.gpu ? GPU_PEERS : PEERS.filter(({ name }) => name !== 'tfjs-cpu')
const present = chosen(values.gpu ? GPU_PEERS : PEERS, values.peers ?? usual.map(({ name }) => name).join()).filter(
  (peer) => {
    const why = absent(peer)
    if (why !== undefined) console.log(`Skipping ${peer.name}: ${why}`)
    return why === undefined
  },
)
const workloads = chosen(WORKLOADS, values.workloads).filter(({ task }) => present.some((peer) => does(peer, task)))
const trained = new Set(workloads.flatMap(({ task, model }) => (task === 'write' ? [] : [model.plugin])))
for (const [, workload] of Object.entries(CHECKS).filter(([plugin]) => trained.has(plugin))) {
  log(workload.title)
  const trainers = present.filter((peer) => does(peer, 'train'))
  const losses = await check(workload, trainers, log)
  console.log(`${Object.keys(losses).join(', ')}: the same losses on ${workload.title} without dropout\n`)
}
/** @type {import('./report.mjs').Recorded[]} */
const all = []
for (const workload of workloads) {
  log(workload.title)
  const measured = await measure(workload, present, { log, withRate: !values.gpu })
  all.push({ ...measured, circumstances: circumstances(measured) })
  const lines = [...table(COLUMNS, tableRows(measured)), ...differences(measured)]
  console.log(`${workload.name}: ${workload.title}\n${lines.join('\n')}\n`)
}
const lines = (values.gpu ? [] : targets(all)).map(({ target, measured, met }) => [
  met ? 'met' : 'missed',
  target,
  measured,
])
if (lines.length > 0) console.log(table(['', 'target', 'measured'], lines).join('\n'))
if (values.write) write(all, values.gpu ? 'gpu' : 'cpu')
