// @ts-check
/** Trains configurations of examples/ on a slice of its data, in this process, and predicts with the saved model. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { lastValueFrom, toArray } from 'rxjs'
import { openPredictor, run } from '@attune/trainer/node'
import { parse } from 'yaml'
import { root } from '../check/packages.mjs'

const ROWS = 48
const temporary = mkdtempSync(join(tmpdir(), 'attune-recipes-'))
after(() => rmSync(temporary, { recursive: true }))

/** Examples with tests of their own. */
const TESTED = ['debian-sections', 'ensemble']

/** @param {{ model: { from?: string } }} config */
const startsFromRun = ({ model }) => model.from?.startsWith(temporary) === true

/** The configuration of a recipe, with the runs of all recipes in the temporary folder. @param {string} folder @param {string} file */
const configOf = (folder, file) =>
  parse(readFileSync(join(folder, file), 'utf8').replaceAll('../../runs/', `${temporary}/`))

/** Numbers of configurations by example. */
const EXPECTED = {
  chitchat: 2,
  clustering: 1,
  'domain-adaptation': 4,
  entailment: 1,
  'movie-reviews': 1,
  'multi-task': 1,
  'named-entities': 1,
  'package-questions': 1,
  'package-summaries': 1,
  'package-tags': 1,
  'part-of-speech': 1,
  search: 2,
  spam: 1,
  translation: 1,
}

execFileSync(process.execPath, [join(root, 'examples/entailment/prepare.mjs')]) // writes data that are not in the repository

/** All configurations; those that start from the run of another one are last. */
const recipes = readdirSync(join(root, 'examples'), { encoding: 'utf8', recursive: true })
  .flatMap((path) => [...path.matchAll(/^([^/]+)\/([^/]+\.yaml)$/g)])
  .map(([, name = '', file = '']) => ({ name, file }))
  .filter(({ name }) => !TESTED.includes(name))
  .map((each) => ({ ...each, config: configOf(join(root, 'examples', each.name), each.file) }))
  .sort((a, b) => Number(startsFromRun(a.config)) - Number(startsFromRun(b.config)))

/** First rows of a split. @param {string} path @returns {string[]} */
function rowsOf(path) {
  const content = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(content) : content).toString()
  return text.trim().split('\n').slice(0, ROWS)
}

/**
 * The configuration of a recipe with the first training rows as every split: a slice of another may have labels that those lack.
 * @param {string} folder @param {any} config @param {string} directory
 */
function sliced(folder, config, directory) {
  const [path, labelled] = [join(directory, 'rows.jsonl'), join(directory, 'labelled.jsonl')]
  const rows = rowsOf(join(folder, config.data.train.path))
  const isAdapted = /^domain-/.test(config.objective.use)
  writeFileSync(path, rows.join('\n'))
  writeFileSync(labelled, rows.filter((row) => 'label' in JSON.parse(row)).join('\n'))
  // Domain adaptation trains on rows without a label, but is not evaluated on them.
  const pathOf = (/** @type {string} */ split) => (isAdapted && split !== 'train' ? labelled : path)
  const data = Object.fromEntries(
    Object.keys(config.data).map((split) => [split, { use: 'jsonl', path: pathOf(split) }]),
  )
  return {
    ...config,
    data,
    tracker: [],
    training: { ...config.training, epochs: 1 },
  }
}

test('every configuration of the examples is tested', () => {
  /** @type {Record<string, number>} */
  const counts = {}
  for (const { name } of recipes) counts[name] = (counts[name] ?? 0) + 1
  assert.deepEqual(counts, EXPECTED)
})

for (const { name, file, config: whole } of recipes)
  test(`examples/${name}/${file} trains on ${ROWS} rows, and its model predicts`, async () => {
    const folder = join(root, 'examples', name)
    const config = sliced(folder, whole, mkdtempSync(join(temporary, 'recipe-')))
    const { directory } = config
    const [row = ''] = readFileSync(String(config.data.train?.path), 'utf8').split('\n')
    const searchPaths = { folders: [root] }
    const events = await lastValueFrom(
      run(config, { baseDirectory: folder, searchPaths, dataFolder: join(temporary, 'data') }).pipe(toArray()),
    )
    assert.equal(events.at(-1)?.type, 'run.completed')
    const steps = events.flatMap((event) => (event.type === 'step.completed' ? [event.loss] : []))
    assert.ok(steps.length > 0 && steps.every(Number.isFinite), String(steps))
    if (config.data.validation === undefined) return
    const [scored] = events.filter((event) => event.type === 'evaluation.completed')
    assert.ok(scored !== undefined)
    const [metrics, names] = [[config.metric ?? []].flat(), Object.keys(scored.scores)]
    assert.ok(names.length > metrics.length, `expected the loss and ${metrics.join()}, got ${names.join()}`)
    const generates = config.objective.use === 'sequence-to-sequence'
    if (generates || existsSync(join(directory, 'model', 'generation_config.json'))) return
    const predictor = await openPredictor(directory, { searchPaths })
    const [answer] = await predictor.predict([JSON.parse(row)])
    assert.ok(answer !== undefined && !(answer instanceof Error), String(answer))
    await predictor.close()
  })
