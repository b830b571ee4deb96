// @ts-check
/** What a comparison has reached so far, kept in a file, and what it says. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { table } from '@attune/terminal'
import { table as markdownTable } from '../check/table.mjs'

/**
 * @typedef {{ accuracy: number, f1: number }} Scores on the test split, in [0, 1]
 * @typedef {'attune' | 'transformers'} Side
 * @typedef {Record<Side, Record<string, Scores>>} Results scores by seed
 */

/** TF-IDF with a linear SVM on the same rows (tools/golden/linear_baseline.py): what a language model has to be worth. @type {Scores} */
export const LINEAR = { accuracy: 0.833, f1: 0.793 }

/** Names what both sides are told to do: scores of another recipe are of another comparison. @param {readonly string[]} files */
export function recipeOf(files) {
  const digest = createHash('sha256')
  for (const file of files) digest.update(readFileSync(file))
  return digest.digest('hex')
}

/** The scores that a file holds; none where there is no file. @param {string} file @param {string} recipe @returns {Results} */
export function load(file, recipe) {
  if (!existsSync(file)) return { attune: {}, transformers: {} }
  const { recipe: found, results } = JSON.parse(readFileSync(file, 'utf8'))
  if (found !== recipe) throw new Error(`${file} holds scores of another recipe; remove it to begin anew`)
  return results
}

/** Keeps scores; a process that is cut leaves the file as it was. @param {string} file @param {string} recipe @param {Results} results */
export function keep(file, recipe, results) {
  writeFileSync(`${file}.new`, `${JSON.stringify({ recipe, results }, null, 2)}\n`)
  renameSync(`${file}.new`, file)
}

/** @param {readonly number[]} values */
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length

/** A difference of scores in points. @param {number} value */
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

/** All scores of some seeds, their means, and how far those are apart and above the linear baseline. @param {Results} results @param {readonly string[]} seeds */
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

/** A table of the scores of some seeds. @param {Results} results @param {readonly string[]} seeds */
export const summary = (results, seeds) => table(COLUMNS, linesOf(results, seeds)).join('\n')

/** The scores of all seeds that both sides have, as a table for a page. @param {Results} results */
export const compared = (results) =>
  markdownTable(
    COLUMNS,
    linesOf(
      results,
      Object.keys(results.attune).filter((seed) => results.transformers[seed] !== undefined),
    ),
  )
