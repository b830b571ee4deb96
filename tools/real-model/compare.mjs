// @ts-check
/**
 * Fine-tunes all-MiniLM-L6-v2 on examples/debian-sections by one recipe, here and with transformers' Trainer, with three
 * seeds each, and prints what both reach on the test split and how far their means are apart. What was reached is kept in
 * comparison.json, so that an interrupted comparison goes on where it was; remove that file to begin anew.
 *
 *     PYTHON=… node tools/real-model/compare.mjs
 *
 * Takes about an hour on two cores. Python needs torch, transformers, accelerate and scikit-learn.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const attune = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-compare-'))
const run = (/** @type {string} */ command, /** @type {string[]} */ ...args) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

/** @typedef {{ accuracy: number, f1: number }} Scores */

/** @returns {Scores} */
function ours(/** @type {number} */ seed) {
  const directory = join(folder, `attune-${seed}`)
  run(process.execPath, attune, 'train', join(here, 'sections.yaml'), '--seed', String(seed), '--directory', directory)
  const { scores } = JSON.parse(run(process.execPath, attune, 'evaluate', directory, '--json'))
  return { accuracy: scores.accuracy.value, f1: scores['macro-f1'].value }
}

/** @returns {Scores} */
const theirs = (/** @type {number} */ seed) =>
  JSON.parse(
    run(process.env['PYTHON'] ?? 'python3', join(here, 'trainer.py'), String(seed), join(folder, `theirs-${seed}`))
      .trim()
      .split('\n')
      .at(-1) ?? '',
  )

const file = join(here, 'comparison.json')
/** @type {{ attune: Scores[], transformers: Scores[] }} by seed, from 1 */
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { attune: [], transformers: [] }
for (const seed of [1, 2, 3])
  for (const [name, train] of /** @type {const} */ ([
    ['attune', ours],
    ['transformers', theirs],
  ])) {
    const scores = (results[name][seed - 1] ??= train(seed))
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
    console.log(`${name}, seed ${seed}: accuracy ${scores.accuracy.toFixed(4)}, macro-F1 ${scores.f1.toFixed(4)}`)
  }
rmSync(folder, { recursive: true })

const mean = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0) / values.length
for (const score of /** @type {const} */ (['accuracy', 'f1'])) {
  const [a, b] = [
    mean(results.attune.map((each) => each[score])),
    mean(results.transformers.map((each) => each[score])),
  ]
  console.log(`${score}: mean ${a.toFixed(4)} here, ${b.toFixed(4)} there, ${(100 * (a - b)).toFixed(2)} points apart`)
}
