// @ts-check
/**
 * Feeds every reader broken files and counts what becomes of them.
 *
 *     node tools/fuzz/run.mjs [--inputs N] [--seed S] [--only TEXT] [--input K] [--write]
 *
 * `--inputs` is for all readers together; `--only` takes the readers whose names have a text in them; `--input` reads the one input
 * of that number again and shows what becomes of it; `--write` writes docs/fuzzing.md. Exits with 1 if a reader crashed or was slow.
 */
import { writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { attempt, fuzz } from './fuzz.mjs'
import { report } from './report.mjs'
import { allTargets } from './targets.mjs'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    input: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const { targets, root, close } = await allTargets()
process.on('exit', close)
const chosen = targets.filter(({ name }) => name.includes(values.only))
if (values.input !== undefined) {
  for (const target of chosen) console.log(target.name, await attempt(target, seed, Number(values.input)))
  process.exit()
}

/** Ends the process when one input takes a minute: nothing else can, while a reader is in a loop. */
const at = new Int32Array(new SharedArrayBuffer(8))
const watch = new Worker(new URL('watch.mjs', import.meta.url), { workerData: at })
watch.unref()
const inputs = Math.ceil(Number(values.inputs) / chosen.length)
const outcomes = []
for (const [number, target] of chosen.entries()) {
  const started = (/** @type {number} */ input) => {
    Atomics.store(at, 0, number)
    Atomics.store(at, 1, input)
  }
  const outcome = await fuzz(target, { seed, inputs, started })
  outcomes.push(outcome)
  const { name, accepted, refused, crashed, slow, slowestSeconds, grownMebibytes, crashes } = outcome
  const times = `slow ${slow} (${slowestSeconds.toFixed(2)} s), ${grownMebibytes.toFixed(1)} MiB`
  writeSync(1, `${number} ${name}: accepted ${accepted}, refused ${refused}, crashed ${crashed}, ${times}\n`)
  for (const { input, error } of crashes) {
    const shown = error instanceof Error ? (error.stack ?? '').split('\n').slice(0, 4).join('\n').slice(0, 600) : error
    writeSync(1, `  input ${input}: ${shown}\n`)
  }
}
if (values.write) writeFileSync(join(root, 'docs/fuzzing.md'), await report(outcomes, seed))
process.exit(outcomes.some(({ crashed, slow }) => crashed + slow > 0) ? 1 : 0)
