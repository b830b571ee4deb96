// @ts-check
/**
 * Fine-tunes all-MiniLM-L6-v2 on examples/debian-sections with Attune and with transformers' Trainer, with the same hyperparameters and
 * seeds. Prints the test scores of both, their difference, and the margin over a linear SVM. The scores of each seed are saved to
 * comparison.json at once, so that an interrupted comparison continues and more seeds can be added. docs/measurements/real-model.md shows them.
 *
 *     PYTHON=… node tools/real-model/compare.mjs [--seeds 1,2,3]
 *
 * Takes about six minutes per run on two cores. Python needs torch, transformers, accelerate and scikit-learn.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writePart } from '../check/replace-part.mjs'
import { compared, keep, load, recipeOf, summary } from './comparison.mjs'

/** @import { Scores } from './comparison.mjs' */

const here = fileURLToPath(new URL('.', import.meta.url))
const attune = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url))
const { values } = parseArgs({ options: { seeds: { type: 'string', default: '1,2,3' } } })
const seeds = values.seeds.split(',')
if (!seeds.every((seed) => /^\d+$/.test(seed)))
  throw new Error(`expected integers such as 1,2,3 for --seeds, got ${values.seeds}`)

const run = (/** @type {string} */ command, /** @type {string[]} */ ...args) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 28 })

/** @param {string} seed @param {string} directory @returns {Scores} */
function ours(seed, directory) {
  run(process.execPath, attune, 'train', join(here, 'sections.yaml'), '--seed', seed, '--directory', directory)
  const { scores } = JSON.parse(run(process.execPath, attune, 'evaluate', directory, '--json'))
  return { accuracy: scores.accuracy.value, f1: scores['macro-f1'].value }
}

/** @param {string} seed @param {string} directory @returns {Scores} */
const theirs = (seed, directory) =>
  JSON.parse(
    run(process.env['PYTHON'] ?? 'python3', join(here, 'trainer.py'), seed, directory)
      .trim()
      .split('\n')
      .at(-1) ?? '',
  )

const file = join(here, 'comparison.json')
const recipe = recipeOf([join(here, 'sections.yaml'), join(here, 'trainer.py')])
const results = load(file, recipe)
for (const seed of seeds)
  for (const [side, train] of /** @type {const} */ ([
    ['attune', ours],
    ['transformers', theirs],
  ])) {
    if (results[side][seed] !== undefined) continue
    const folder = mkdtempSync(join(tmpdir(), 'attune-compare-'))
    const scores = (results[side][seed] = train(seed, join(folder, 'run')))
    rmSync(folder, { recursive: true })
    keep(file, recipe, results)
    console.log(`${side}, seed ${seed}: accuracy ${scores.accuracy.toFixed(4)}, macro-F1 ${scores.f1.toFixed(4)}`)
  }
console.log(summary(results, seeds))
writePart(
  fileURLToPath(new URL('../../docs/measurements/real-model.md', import.meta.url)),
  'compared',
  compared(results),
)
