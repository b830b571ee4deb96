// @ts-check
/**
 * Kills runs of every engine that starts here, adapter and set of callbacks at random moments, and compares the models that they end
 * with.
 *
 *     node tools/kill/run.mjs [--kills 200] [--seed 1] [--only TEXT] [--write]
 *
 * `--kills` is for each type of run; `--only` takes the types whose names have a text in them; `--write` writes docs/kills.md. Exits with
 * 1 if a model differs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fold, key, stream } from '@attune/core'
import { format, resolveConfig } from 'prettier'
import { killRun } from './kill.mjs'
import { root, runTypes } from './run-types.mjs'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
})
const [kills, seed] = [Number(values.kills), Number(values.seed)]
const temporary = mkdtempSync(join(tmpdir(), 'attune-kill-'))
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))

const types = (await runTypes(true)).filter(({ name }) => name.includes(values.only))
const begun = performance.now()
const results = []
for (const [number, type] of types.entries()) {
  const folder = join(temporary, String(number))
  const random = stream(fold(key(seed), type.name))
  const onKill = (/** @type {number} */ killed) => {
    const done = number * kills + killed
    const rate = done / ((performance.now() - begun) / 60_000)
    const left = (types.length * kills - done) / rate
    process.stderr.write(
      `\r${type.name}: ${killed} of ${kills} kills, ${rate.toFixed(0)}/min, ${left.toFixed(0)} min left   `,
    )
  }
  const { killed, whole, resumed } = await killRun(type, { folder, kills, random, onKill })
  rmSync(folder, { recursive: true })
  results.push({ name: type.name, killed, same: whole === resumed })
  process.stderr.write('\r')
  console.log(`${whole === resumed ? 'same' : 'DIFFERENT'}  ${killed} kills  ${type.name}`)
}

/** @param {{ name: string, killed: number, same: boolean }[]} rows */
async function report(rows) {
  const text = `# Runs that were killed

Each type of run was started, killed with SIGKILL at random moments and resumed, ${kills} times: while the process starts, between and
within steps, while a checkpoint or the model is written. Then it was left to end. Its weights are compared, bit for bit, with those of
a run that was left alone.

\`node tools/kill/run.mjs --kills ${kills} --seed ${seed} --write\` made this page. Every test run kills a part of the types twice.

| engine, adapter, callbacks | kills | weights |
| :-- | --: | :-- |
${rows.map(({ name, killed, same }) => `| ${name} | ${killed} | ${same ? 'the same' : 'DIFFERENT'} |`).join('\n')}
`
  const file = join(root, 'docs/kills.md')
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }))
}
if (values.write) await report(results)
process.exit(results.some(({ same }) => !same) ? 1 : 0)
