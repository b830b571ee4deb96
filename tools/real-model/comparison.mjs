// @ts-check
/** Results of the comparison: stored in a file, and formatted as a table. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { table } from '@attune/terminal'
import { table as markdownTable } from '../check/table.mjs'

/**
 * @typedef {{ accuracy: number, f1: number }} Scores on the test split, in [0, 1]
 * @typedef {'attune' | 'transformers'} Side
 * @typedef {Record<Side, Record<string, Scores>>} Results scores by seed
 */

/** Baseline: TF-IDF with a linear SVM on the same data (tools/golden/linear_baseline.py). @type {Scores} */
export const LINEAR = { accuracy: 0.833, f1: 0.793 }

/** Digest of the training setup: scores of another setup belong to another comparison. @param {readonly string[]} files */
export function recipeOf(files) {
  const digest = createHash('sha256')
  for (const file of files) digest.update(readFileSync(file))
  return digest.digest('hex')
}

/** Scores in a file; empty if there is no file. @param {string} file @param {string} recipe @returns {Results} */
export function load(file, recipe) {
  if (!existsSync(file)) return { attune: {}, transformers: {} }
  const { recipe: found, results } = JSON.parse(readFileSync(file, 'utf8'))
  if (found !== recipe) throw new Error(`${file} contains scores of another training setup: delete it to start again`)
  return results
}

/** Saves scores atomically. @param {string} file @param {string} recipe @param {Results} results */
export function keep(file, recipe, results) {
  writeFileSync(`${file}.new`, `${JSON.stringify({ recipe, results }, null, 2)}\n`)
  renameSync(`${file}.new`, file)
}

/** @param {readonly number[]} values */
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length

/** A difference of scores in percentage points. @param {number} value */
const points = (value) => `${value < 0 ? '' : '+'}${(100 * value).toFixed(2)}`

const COLUMNS = [
  'score',
  '',
  'Attune',
  'transformers',
  'points apart',
  'Attune above linear',
  'transformers above linear',
]

/** Rows of all scores for some seeds: values, means, differences and margins over the linear baseline. @param {Results} results @param {readonly string[]} seeds */
const linesOf = (results, seeds) =>
  /** @type {const} */ (['accuracy', 'f1']).flatMap((score) => {
    const of = (/** @type {Side} */ side) => seeds.map((seed) => results[side][seed]?.[score] ?? NaN)
    /** @param {string} name @param {number} ours @param {number} theirs */
    const line = (name, ours, theirs) => [
      score === 'f1' ? 'macro F1' : score,
      name,
      ours.toFixed(4),
      theirs.toFixed(4),
      points(ours - theirs),
      points(ours - LINEAR[score]),
      points(theirs - LINEAR[score]),
    ]
    const [ours, theirs] = [of('attune'), of('transformers')]
    return [
      ...seeds.map((seed, i) => line(`seed ${seed}`, ours[i] ?? NaN, theirs[i] ?? NaN)),
      line('mean', mean(ours), mean(theirs)),
    ]
  })

/** Table of the scores for some seeds. @param {Results} results @param {readonly string[]} seeds */
export const summary = (results, seeds) => table(COLUMNS, linesOf(results, seeds)).join('\n')

/** Table of the scores for all seeds that both sides have, for a page. @param {Results} results */
export const compared = (results) =>
  markdownTable(
    COLUMNS,
    linesOf(
      results,
      Object.keys(results.attune).filter((seed) => results.transformers[seed] !== undefined),
    ),
  )
