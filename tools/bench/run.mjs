// @ts-check
/**
 * Measures Attune and its peers: `node tools/bench/run.mjs [--workloads 1,2] [--peers attune,pytorch] [--write]`.
 * Prints tables; `--write` puts them into docs/benchmarks.md and docs/benchmarks.json.
 */
import { parseArgs } from 'node:util'
import { table } from '@attune/text'
import { check, measure } from './measure.mjs'
import { PEERS, absent, does } from './peers.mjs'
import { COLUMNS, bars, circumstances, tableRows, write } from './report.mjs'
import { WORKLOADS } from './workloads.mjs'

const { values } = parseArgs({
  options: {
    workloads: { type: 'string', default: WORKLOADS.map(({ name }) => name).join() },
    peers: { type: 'string', default: 'attune,pytorch,pytorch-compile,tfjs-node,tfjs-wasm,transformers-js' },
    write: { type: 'boolean', default: false },
  },
})

/** The things that are named, in their own order. @template {{ name: string }} T @param {readonly T[]} all @param {string} names */
function chosen(all, names) {
  const wanted = names.split(',')
  const unknown = wanted.filter((name) => !all.some((each) => each.name === name))
  if (unknown.length === 0) return all.filter(({ name }) => wanted.includes(name))
  throw new Error(`there is no ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`)
}

/** @param {string} text */
const log = (text) => process.stderr.write(`${text}\n`)

const present = chosen(PEERS, values.peers).filter((peer) => {
  const why = absent(peer)
  if (why !== undefined) console.log(`${peer.name} is left out: ${why}`)
  return why === undefined
})
const losses = await check(
  present.filter((peer) => does(peer, 'train')),
  log,
)
console.log(`${Object.keys(losses).join(', ')}: the same losses on a tiny encoder without dropout\n`)
const all = []
for (const workload of chosen(WORKLOADS, values.workloads)) {
  log(workload.title)
  const measured = await measure(workload, present, log)
  all.push(measured)
  console.log(`${workload.name}: ${workload.title}\n${table(COLUMNS, tableRows(measured)).join('\n')}\n`)
}
const lines = bars(all).map(({ bar, found, met }) => [met ? 'met' : 'missed', bar, found])
if (lines.length > 0) console.log(table(['', 'bar', 'found'], lines).join('\n'))
if (values.write) write(all, circumstances(all))
