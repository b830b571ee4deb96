// @ts-check
/**
 * Kills runs of every engine that starts here, adapter and set of callbacks at random moments, and compares the models that they end
 * with.
 *
 *     node tools/kill/run.mjs [--kills 200] [--seed 1] [--only TEXT] [--jobs 2] [--write]
 *
 * `--kills` is for each type of run; `--jobs` are types at once; `--only` takes the types whose names have a text in them; `--write`
 * writes docs/kills.md. Exits with 1 if a model differs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { deriveKey, key, stream } from '@attune/core'
import { format, resolveConfig } from 'prettier'
import { killRuns } from './kill.mjs'
import { root, runTypes } from './run-types.mjs'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    write: { type: 'boolean', default: false },
  },
})
const [kills, seed] = [Number(values.kills), Number(values.seed)]
const temporary = mkdtempSync(join(tmpdir(), 'attune-kill-'))
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))

const types = (await runTypes(true)).filter(({ name }) => name.includes(values.only))
const begun = performance.now()
/** @type {{ name: string, killed: number, ended: number, same: boolean }[]} */
const results = []
let done = 0

function onKill() {
  const rate = ++done / ((performance.now() - begun) / 60_000)
  const left = (types.length * kills - done) / rate
  process.stderr.write(
    `\r${done} of ${types.length * kills} kills, ${rate.toFixed(0)}/min, ${left.toFixed(0)} min left   `,
  )
}

/** @param {import('./run-types.mjs').RunType} type @param {number} number */
async function killType(type, number) {
  const folder = join(temporary, String(number))
  const random = stream(deriveKey(key(seed), type.name))
  const { killed, whole, ended } = await killRuns(type, { folder, kills, random, onKill })
  rmSync(folder, { recursive: true })
  const same = ended.every((digest) => digest === whole)
  results[number] = { name: type.name, killed, ended: ended.length, same }
  console.log(`\r${same ? 'same' : 'DIFFERENT'}  ${killed} kills, ${ended.length} runs  ${type.name}`)
}

const waiting = types.entries()
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (const [number, type] of waiting) await killType(type, number)
  }),
)

/** @param {{ name: string, killed: number, ended: number, same: boolean }[]} rows */
async function report(rows) {
  const text = `# Runs that were killed

Runs of each type were killed with SIGKILL at random moments and resumed, ${kills} times: while the process starts, between and within
steps, while a checkpoint or the model is written. A run that reached its end was followed by a new one; the last was left to end. The
weights of all are compared, bit for bit, with those of a run that was left alone.

\`node tools/kill/run.mjs --kills ${kills} --seed ${seed} --write\` made this page. Every test run kills a part of the types twice.

| engine, adapter, callbacks | kills | runs that ended | weights |
| :-- | --: | --: | :-- |
${rows.map(({ name, killed, ended, same }) => `| ${name} | ${killed} | ${ended} | ${same ? 'the same' : 'DIFFERENT'} |`).join('\n')}
`
  const file = join(root, 'docs/kills.md')
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }))
}
if (values.write) await report(results)
process.exit(results.some(({ same }) => !same) ? 1 : 0)
