// @ts-check
/**
 * Kills runs with SIGKILL, resumes them, and compares the final models: every technique (see techniques.mjs) once, and sets of callbacks on
 * every available engine at random moments.
 *
 *     node tools/kill/run.mjs [--kills 8] [--seed 1] [--write]
 *
 * `--kills` is the number at random moments for each type of run; `--write` writes docs/measurements/kills.md. Exits with 1 if a model
 * differs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { deriveKey, key, stream } from '@attune/core'
import { format, resolveConfig } from 'prettier'
import { killRuns, killTogether } from './kill.mjs'
import { root, typesOfEngines, typesOfTechniques } from './run-types.mjs'
import { TECHNIQUES, namesIn } from './techniques.mjs'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
})
const [kills, seed] = [Number(values.kills), Number(values.seed)]
const temporary = mkdtempSync(join(tmpdir(), 'attune-kill-'))
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))

/** @param {boolean} isSame */
const outcome = (isSame) => (isSame ? 'identical' : 'DIFFERENT')

/** Rows of the table of techniques. */
async function killTechniques() {
  const ends = await killTogether(typesOfTechniques(), join(temporary, 'together'))
  return [...ends].map(([name, { wasTraining, whole, resumed }]) => {
    const { optimizer, regularizer } = TECHNIQUES[name] ?? {}
    return [
      name,
      namesIn(optimizer).join(', '),
      namesIn(regularizer).join(', '),
      outcome(wasTraining && resumed === whole),
    ]
  })
}

/** Rows of the table of runs that are killed at random moments. */
async function killAtRandomMoments() {
  const rows = []
  for (const type of await typesOfEngines()) {
    const folder = join(temporary, String(rows.length))
    const random = stream(deriveKey(key(seed), type.name))
    const { killed, whole, ended } = await killRuns(type, { folder, kills, random })
    rmSync(folder, { recursive: true })
    rows.push([type.name, String(killed), String(ended.length), outcome(ended.every((digest) => digest === whole))])
    console.log(rows.at(-1)?.join('  '))
  }
  return rows
}

/** @param {string[][]} rows */
const lines = (rows) => rows.map((row) => `| ${row.join(' | ')} |`).join('\n')

/** @param {string[][]} techniques @param {string[][]} atRandom */
async function report(techniques, atRandom) {
  const [first, ...others] = [...new Set(atRandom.map(([name = '']) => `\`${name.split(',')[0]}\``))]
  const text = `# Kill tests

Runs are killed with SIGKILL and resumed. Their final weights are compared, bit for bit, with those of an uninterrupted run. This page is generated
by \`node tools/kill/run.mjs --kills ${kills} --seed ${seed} --write\`. The test suite kills the same types of runs, those at random
moments twice each.

## Adapters, optimizers and regularizers

${techniques.length} runs, which together have every adapter, optimizer and regularizer, train at the same time in one process on \`onnxruntime\`. The process
is killed once, when each of them has saved a checkpoint and none has ended, and all are resumed in another process.

| adapter | optimizer | regularizer | weights |
| :-- | :-- | :-- | :-- |
${lines(techniques)}

## At random moments

Runs of each type, in processes of their own, are killed ${kills} times: during startup, between and within steps, and while a checkpoint or the model is
written. A run that finished is followed by a new one; the last one is not killed again. Each set of callbacks runs on ${first}; on ${others.join(' and ')}
only one type each is killed.

| engine, adapter, callbacks | kills | finished runs | weights |
| :-- | --: | --: | :-- |
${lines(atRandom)}
`
  const file = join(root, 'docs/measurements/kills.md')
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }))
}

const techniques = await killTechniques()
console.log(lines(techniques))
const atRandom = await killAtRandomMoments()
if (values.write) await report(techniques, atRandom)
process.exit([...techniques, ...atRandom].some((row) => row.at(-1) !== outcome(true)) ? 1 : 0)
