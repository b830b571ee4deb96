// @ts-check
/** Fuzzes every reader of external data and reports the outcomes. See `--help`. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { campaign, listTargets, readInput } from './campaign.mjs'
import { endedTargets } from './ended.mjs'
import { display } from './progress.mjs'
import { report } from './report.mjs'
import { root } from './seeds.mjs'
import { targetModules } from './targets.mjs'

/** @import { Named } from './child.mjs' */

const HELP = `Fuzzes every reader of external data with malformed inputs and reports the outcomes.

  node tools/fuzz/run.mjs [options]

  --inputs N      total number of inputs (default 20000)
  --seed S        (default 1)
  --only TEXT     readers whose names contain a text
  --growth MS     CPU time for grown inputs, in milliseconds per input (default 5)
  --jobs N        parallel processes (default 2)
  --keep DIR      folder for the slowest and the largest input of each reader and for failing inputs
                  (default: a temporary folder)
  --resume        skip readers that already read as many inputs without a finding in the --keep folder,
                  and report their results
  --limit S       CPU time after which an input is aborted, in seconds (default 60)
  --write         write docs/measurements/fuzzing.md
  --list          list the readers
  --input K       read input K of each selected reader again and print its fate
  --replay FILE   read a saved input again and print its fate

Exits with 1 if a reader crashed, strayed, was slow or took too much memory; with 130 after Ctrl-C.`

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    growth: { type: 'string', default: '5' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    keep: { type: 'string' },
    resume: { type: 'boolean', default: false },
    limit: { type: 'string', default: '60' },
    write: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    input: { type: 'string' },
    replay: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const [seed, limitSeconds, jobs] = [Number(values.seed), Number(values.limit), Number(values.jobs)]

/** Reads one input of a target and prints its fate. @param {Named} target @param {{ number?: number, file?: string, seed: number }} input */
async function replay(target, input) {
  const work = mkdtempSync(join(tmpdir(), 'attune-fuzz-'))
  const result = await readInput(target, input, work, limitSeconds)
  const { hot } = await readInput(target, { ...input, profile: true }, work, limitSeconds)
  rmSync(work, { recursive: true })
  console.log(target.name, { ...result, hot })
}

/** Runs the selected targets, prints the outcomes, and optionally writes the page. @param {readonly Named[]} chosen */
async function feed(chosen) {
  const keep = values.keep === undefined ? mkdtempSync(join(tmpdir(), 'attune-fuzz-kept-')) : resolve(values.keep)
  const inputs = Math.ceil(Number(values.inputs) / chosen.length)
  const growth = Number(values.growth) / 1000
  const ended = endedTargets(keep, { seed, inputs, growth })
  const known = values.resume ? chosen.flatMap(({ name }) => ended.read(name) ?? []) : []
  const open = chosen.filter(({ name }) => !known.some((each) => each.name === name))
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort())
  const shown = display(open.length, inputs * open.length, process.stderr)
  /** @type {Map<string, number>} */
  const begun = new Map()
  let seconds = known.reduce((sum, each) => sum + each.seconds, 0)
  const fed = await campaign(open, {
    seed,
    inputs,
    growth,
    keep,
    jobs,
    perChild: 1,
    limitSeconds,
    stop: stop.signal,
    onProgress(progress) {
      const { type, name, counts, findings } = progress
      shown.update(progress)
      if (type === 'began') return void (begun.has(name) || begun.set(name, performance.now()))
      const took = (performance.now() - (begun.get(name) ?? NaN)) / 1000
      seconds += took
      if (!stop.signal.aborted) ended.write({ name, counts, findings, seconds: took })
    },
  })
  shown.close()
  const outcomes = chosen.flatMap(({ name }) => [...known, ...fed].find((each) => each.name === name) ?? [])
  const failing = outcomes.filter(
    ({ counts: { crashed, strayed, slow, large } }) => crashed + strayed + slow + large > 0,
  )
  const about = {
    seed,
    hours: seconds / 3600,
    command: `node tools/fuzz/run.mjs --inputs ${values.inputs} --seed ${seed} --growth ${values.growth} --write`,
  }
  const text = await report(
    outcomes.filter(({ counts }) => counts.inputs > 0),
    about,
  )
  console.log(text.slice(text.lastIndexOf('\n\n') + 2))
  console.log(
    `${failing.length} of ${outcomes.length} readers fail. The slowest and the largest inputs are in ${keep}.`,
  )
  if (stop.signal.aborted) console.log('To continue, run the same command with --resume and --keep set to that folder')
  if (values.write && !stop.signal.aborted) writeFileSync(join(root, 'docs/measurements/fuzzing.md'), text)
  if (values.keep === undefined && readdirSync(keep).length === 0) rmSync(keep, { recursive: true })
  process.exitCode = stop.signal.aborted ? 130 : failing.length > 0 ? 1 : 0
}

async function main() {
  if (values.help) return console.log(HELP)
  const targets = await listTargets(targetModules())
  const saved = values.replay === undefined ? undefined : JSON.parse(readFileSync(values.replay, 'utf8'))
  const chosen = targets.filter(({ name }) =>
    saved === undefined ? name.includes(values.only) : name === saved.target,
  )
  if (chosen.length === 0) throw new Error(`unknown reader ${saved?.target ?? `*${values.only}*`}`)
  if (values.list) for (const { name } of chosen) console.log(name)
  else if (values.replay !== undefined && chosen[0] !== undefined)
    await replay(chosen[0], { file: resolve(values.replay), seed })
  else if (values.input !== undefined)
    for (const target of chosen) await replay(target, { number: Number(values.input), seed })
  else await feed(chosen)
}

await main()
