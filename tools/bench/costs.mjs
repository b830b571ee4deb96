// @ts-check
/**
 * Measures the fraction of a step that optimizers take, and LoRA against PyTorch and peft in the same run:
 * `node tools/bench/costs.mjs [--rounds 9] [--write]`. `PYTHON` names a Python with torch, transformers, peft and safetensors; without it,
 * LoRA is not compared. `--write` writes the tables to docs/measurements/costs.md.
 */
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { table } from '@attune/terminal'
import { format, resolveConfig } from 'prettier'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'
import { check, measure } from './measure.mjs'
import { measureShares } from './optimizer-shares.mjs'
import { PEERS, absent } from './peers.mjs'
import { LORA, LORA_CHECK, WORKLOADS } from './workloads.mjs'

const PAGE = join(root, 'docs/measurements/costs.md')
/** At most this fraction of the time of PyTorch and peft. */
const BAR = 0.7

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, write: { type: 'boolean', default: false } },
})
const rounds = Number(values.rounds)
/** @param {string} text */
const log = (text) => void process.stderr.write(`${text}\n`)

/** Reports columns and rows, and writes them to a part of the page. @param {string} part @param {string[]} columns @param {string[][]} rows @param {string} note */
async function report(part, columns, rows, note) {
  console.log([...table(columns, rows), note, ''].join('\n'))
  if (!values.write) return
  const about = `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}; load average ${loadavg()[0]?.toFixed(1)}.`
  const text = [`${about} ${note}`, '', markdownTable(columns, rows)].join('\n')
  writePart(PAGE, part, await format(text, { ...(await resolveConfig(PAGE)), filepath: PAGE }))
}

async function compareOptimizers() {
  const [workload] = WORKLOADS
  if (workload === undefined) throw new Error('there is no workload')
  log(workload.title)
  const shares = await measureShares(workload, { rounds, log })
  const rows = shares.map(({ name, median, share }) => [
    name,
    median.toFixed(),
    share === undefined ? '' : `${(100 * share).toFixed(1)} %`,
  ])
  await report(
    'optimizers',
    ['step with', 'ms', 'fraction for the optimizer'],
    rows,
    `${workload.title}; ${rounds} rounds.`,
  )
}

async function compareLora() {
  const peers = PEERS.filter(({ name }) => name === 'attune' || name === 'pytorch')
  const missing = peers.map(absent).find((why) => why !== undefined)
  if (missing !== undefined) return console.log(`Skipping LoRA: ${missing}`)
  await check(LORA_CHECK, peers, log)
  const { rows } = await measure({ ...LORA, rounds }, peers, { log, withRate: false })
  const [own, other] = ['attune', 'pytorch'].map((name) => rows.find(({ peer }) => peer === name))
  const failed = [own, other].find((row) => row?.median === undefined)
  if (failed !== undefined) throw new Error(`${failed.peer} failed: ${failed.failure}`)
  const ratio = (own?.median ?? NaN) / (other?.median ?? NaN)
  const memory = (own?.peakBytes ?? NaN) / (other?.peakBytes ?? NaN)
  const lines = [own, other].map((row) => [
    row?.ready?.replaceAll(`${root}/`, '') ?? '',
    row?.median?.toFixed() ?? '',
    `${row?.fastest?.toFixed()}–${row?.slowest?.toFixed()}`,
    ((row?.peakBytes ?? NaN) / 1e6).toFixed(),
  ])
  const verdict = `${ratio.toFixed(2)} × the time of PyTorch and peft (bar: at most ${BAR}, ${ratio <= BAR ? 'met' : 'missed'}) and ${memory.toFixed(2)} × the memory.`
  await report('lora', ['LoRA with', 'step ms', 'from–to', 'peak MB'], lines, `${LORA.title}. Attune takes ${verdict}`)
}

await compareOptimizers()
await compareLora()
