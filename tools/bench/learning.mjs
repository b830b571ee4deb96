// @ts-check
/**
 * Compares strategies of learning on a slice of examples/debian-sections and on examples/package-tags, three times with other seeds:
 * `node tools/bench/learning.mjs [PART…] [--write]`, all parts or some of `learning`, `learning-ensembles` and `learning-tags`. Each run is
 * in this process, on one core. `--write` writes the tables to docs/measurements/learning.md.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { table } from '@attune/terminal'
import { bag, boost, selfTrain } from '@attune/study'
import { evaluateRun, makeEnsemble, run } from '@attune/trainer/node'
import { format, resolveConfig } from 'prettier'
import { root } from '../check/packages.mjs'
import { writePart } from '../check/replace-part.mjs'
import { table as markdownTable } from '../check/table.mjs'
import { BATCH, LENGTH } from './method-cells.mjs'
import { SIZES, writeData } from './method-data.mjs'
import { interval } from './method-tables.mjs'

/** Accuracy of classes or micro F1 of tags, and macro F1. @typedef {{ main: number, macro: number }} Scores */

const PAGE = join(root, 'docs/measurements/learning.md')
const PRETRAINED = join(root, 'examples/models/debian-bert')
const REPEATS = [1, 2, 3]
const EPOCHS = 3
/** Rows whose labels are known, in the strategies for few labels. */
const FEW = SIZES.train / 10
/** Minimum probability of a predicted label that trains. */
const CONFIDENT = 0.9
/** Models in an ensemble of bagging or boosting. */
const MEMBERS = 3

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const folder = mkdtempSync(join(tmpdir(), 'attune-learning-'))
const searchPaths = { folders: [root] }
writeData(folder)
const source = (/** @type {string} */ name) => ({ use: 'jsonl', path: join(folder, `${name}.jsonl`) })
const rowsIn = (/** @type {string} */ name) =>
  readFileSync(join(folder, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => /** @type {{ text: string, label: string }} */ (JSON.parse(line)))
const rowsTo = (/** @type {string} */ name, /** @type {readonly object[]} */ rows) =>
  writeFileSync(join(folder, `${name}.jsonl`), rows.map((row) => JSON.stringify(row)).join('\n'))

/** Labels of all rows, so that a training set without some of them has the same classes. */
const labels = [
  ...new Set(
    ['sections-train', 'sections-validation', 'sections-test'].flatMap((name) =>
      rowsIn(name).map(({ label }) => label),
    ),
  ),
].sort()
const classification = { use: 'sequence-classification', labels, maximumLength: LENGTH, padToMultipleOf: LENGTH }

/** The configuration of a run. @param {string} name @param {number} seed @param {Record<string, unknown>} change @returns {any} */
const configOf = (name, seed, change = {}) => ({
  seed,
  directory: join(folder, `${name}-${seed}`),
  data: { train: source('sections-train'), validation: source('sections-validation') },
  tokenizer: { use: 'wordpiece', path: PRETRAINED },
  model: { use: 'bert', from: PRETRAINED },
  objective: classification,
  engine: { use: 'onnxruntime', device: 'cpu', threads: 1 },
  optimizer: { use: 'adamw', weightDecay: 0.01 },
  scheduler: 'linear',
  metric: ['accuracy', 'f1'],
  training: { epochs: EPOCHS, batchSize: BATCH, learningRate: 5e-4 },
  ...change,
})

/** Trains once. @param {string} name @param {number} seed @param {Record<string, unknown>} change @returns {Promise<string>} the run folder */
async function trained(name, seed, change = {}) {
  const config = configOf(name, seed, change)
  await run(config, { searchPaths }).forEach(() => undefined)
  return config.directory
}

/**
 * Trains on a tenth of the labels, then a new model also on the other rows where the first one is confident.
 * @param {number} seed @returns {Promise<readonly string[]>} the run folders of the first model and of the second
 */
async function selfTrained(seed) {
  const few = { epochs: 10 * EPOCHS, batchSize: BATCH, learningRate: 5e-4 }
  const config = configOf('self', seed, { data: all('few'), training: few })
  await selfTrain(config, {
    student: configOf('self', seed),
    unlabelled: source('sections-train'),
    threshold: CONFIDENT,
    searchPaths,
  }).forEach((event) => {
    if (event.type === 'pseudoLabels.assigned') console.log(JSON.stringify(event.byLabel))
  })
  return ['0', '1'].map((round) => join(config.directory, 'rounds', round))
}

/**
 * Trains the members of an ensemble, whose seeds are those of no other run here.
 * @param {'bag' | 'boost'} method @param {number} seed @param {Record<string, unknown>} change
 * @returns {Promise<string>} the folder of the ensemble
 */
async function combined(method, seed, change) {
  const config = configOf(method, 100 * seed, change)
  const train = method === 'bag' ? bag : boost
  await train(config, { members: MEMBERS, searchPaths }).forEach((event) => {
    if (event.type === 'member.completed' && event.error !== undefined) console.log(`training error ${event.error}`)
  })
  return join(config.directory, 'ensemble')
}

/** Scores on the test split of the sections. @param {string} directory @returns {Promise<Scores>} */
async function tested(directory) {
  const { scores } = await evaluateRun(directory, { source: source('sections-test'), searchPaths })
  return { main: Number(scores['accuracy']?.value), macro: Number(scores['macro-f1']?.value) }
}

/** Notes the scores of a run. @typedef {(strategy: string, scores: Scores, labelled?: number) => void} Note */

const TAGS = join(root, 'examples/package-tags')
const tagSource = (/** @type {string} */ split) => ({ use: 'jsonl', path: join(TAGS, `${split}.jsonl.gz`) })
/** Rows with tags for training. */
const TAGGED = gunzipSync(readFileSync(join(TAGS, 'train.jsonl.gz')))
  .toString()
  .trim()
  .split('\n').length
/** The perceptron of examples/package-tags. */
const PERCEPTRON = {
  model: { use: 'mlp', input: 'tf-idf', sublinearTf: true, hiddenSizes: [128] },
  scheduler: { use: 'linear', warmupRatio: 0.1 },
  training: { epochs: 10, batchSize: 32, learningRate: 5e-3 },
}

/** Trains a tagger, and scores it on the test split. @param {string} name @param {number} seed @param {number} length of texts, in tokens @param {Record<string, unknown>} change @returns {Promise<Scores>} */
async function tagged(name, seed, length, change = {}) {
  const directory = await trained(name, seed, {
    data: { train: tagSource('train'), validation: tagSource('validation') },
    objective: { use: 'multi-label-classification', maximumLength: length, padToMultipleOf: length },
    protocol: { use: 'holdout', stratifyBy: null },
    metric: ['micro', 'macro'].map((average) => ({ use: 'multi-label-f1', average })),
    ...change,
  })
  const { scores } = await evaluateRun(directory, { source: tagSource('test'), searchPaths })
  return { main: Number(scores['micro-f1']?.value), macro: Number(scores['macro-f1']?.value) }
}

/** Training of the head alone, on the outputs of the frozen model. */
const HEAD = {
  adapter: 'head-only',
  training: { epochs: 10, batchSize: BATCH, learningRate: 5e-3, cacheOutputs: true },
}
const HALF = { use: 'bert', from: PRETRAINED, fromLayers: [0, 2] }
const all = (/** @type {string} */ name) => ({ train: source(name), validation: source('sections-validation') })

/** One model, fewer labels or layers, and combinations of models. @param {number} seed @param {Note} note */
async function sections(seed, note) {
  const members = []
  for (const member of [0, 10, 20]) members.push(await trained('full', seed + member))
  const [teacher = ''] = members
  note('classification', await tested(teacher))
  note(
    'LoRA',
    await tested(
      await trained('lora', seed, {
        adapter: { use: 'lora', rank: 8, alpha: 16 },
        training: { epochs: EPOCHS, batchSize: BATCH, learningRate: 2e-3 },
      }),
    ),
  )
  for (const method of /** @type {const} */ (['average', 'soup'])) {
    const output = join(folder, `${method}-${seed}`)
    await makeEnsemble(members, { method, output, searchPaths })
    note(method === 'average' ? 'ensemble of three seeds' : 'soup of three seeds', await tested(output))
  }
  note('half of the layers', await tested(await trained('half', seed, { model: HALF })))
  const distilled = await trained('distilled', seed, {
    model: HALF,
    models: { teacher: { use: 'bert', from: join(teacher, 'model') } },
    objective: { use: 'distillation', task: classification, temperature: 2, hiddenWeight: 1 },
  })
  note('half of the layers, distilled', await tested(distilled))
  rowsTo('few', rowsIn('sections-train').slice(0, FEW))
  const [few = '', student = ''] = await selfTrained(seed)
  note('a tenth of the labels', await tested(few), FEW)
  note('a tenth of the labels, self-training', await tested(student), FEW)
}

/** Bagging and boosting of a small model from random weights. @param {number} seed @param {Note} note */
async function ensembles(seed, note) {
  const weak = {
    model: { ...PERCEPTRON.model, hiddenSizes: [32] },
    training: { epochs: EPOCHS, batchSize: BATCH, learningRate: 2e-2 },
  }
  note('perceptron', await tested(await trained('weak', seed, weak)))
  note(`bagging, ${MEMBERS} members`, await tested(await combined('bag', seed, weak)))
  note(`boosting, ${MEMBERS} members`, await tested(await combined('boost', seed, weak)))
}

/** Several labels per row. @param {number} seed @param {Note} note */
async function tags(seed, note) {
  note('perceptron on TF-IDF features', await tagged('perceptron', seed, 128, PERCEPTRON), TAGGED)
  note('head only', await tagged('tags', seed, LENGTH, HEAD), TAGGED)
}

/** @param {readonly number[]} found in [0, 1] */
const shown = (found) => {
  const { mean, half } = interval(found)
  return `${(100 * mean).toFixed(1)} ± ${(100 * half).toFixed(1)}`
}

/** Strategies that another one is compared with, seed by seed. @type {Readonly<Record<string, string>>} */
const COMPARED = {
  'half of the layers, distilled': 'half of the layers',
  'a tenth of the labels, self-training': 'a tenth of the labels',
  'ensemble of three seeds': 'classification',
  'soup of three seeds': 'classification',
  [`bagging, ${MEMBERS} members`]: 'perceptron',
  [`boosting, ${MEMBERS} members`]: 'perceptron',
  'head only': 'perceptron on TF-IDF features',
  LoRA: 'classification',
}

/** Results by strategy. @typedef {Map<string, { scores: Scores[], labelled: number }>} Results */
/** Rows of a table. @param {Results} found */
const rowsOf = (found) =>
  [...found].map(([strategy, { scores, labelled }]) => {
    const other = found.get(COMPARED[strategy] ?? '')?.scores
    const differences = other === undefined ? [] : scores.map(({ main }, i) => main - (other[i]?.main ?? NaN))
    return [
      strategy,
      shown(scores.map(({ main }) => main)),
      shown(scores.map(({ macro }) => macro)),
      differences.length === 0 ? '' : `${shown(differences)} (to ${COMPARED[strategy]})`,
      String(labelled),
      String(scores.length),
    ]
  })

/** Runs a part with each seed. @param {(seed: number, note: Note) => Promise<void>} part */
async function resultsOf(part) {
  /** @type {Results} */
  const results = new Map()
  /** @type {Note} */
  const note = (strategy, scores, labelled = SIZES.train) => {
    const known = results.get(strategy) ?? { scores: [], labelled }
    known.scores.push(scores)
    results.set(strategy, known)
    console.log(`${strategy}: ${scores.main.toFixed(3)}, macro F1 ${scores.macro.toFixed(3)}`)
  }
  for (const seed of REPEATS) await part(seed, note)
  return results
}

const PARTS = /** @type {const} */ ([
  ['learning', 'accuracy', sections],
  ['learning-ensembles', 'accuracy', ensembles],
  ['learning-tags', 'micro F1', tags],
])
for (const [name, main, part] of PARTS) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const columns = ['strategy', main, 'macro F1', `difference of ${main}`, 'labelled rows', 'runs']
  const rows = rowsOf(await resultsOf(part))
  console.log(table(columns, rows).join('\n'))
  if (!values.write) continue
  const measured = `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim()}, one core, Node ${process.versions.node}.`
  const text = [measured, markdownTable(columns, rows)].join('\n\n')
  writePart(PAGE, name, await format(text, { ...(await resolveConfig(PAGE)), filepath: PAGE }))
}
rmSync(folder, { recursive: true })
