import { AttuneError, type Example, type Source } from '@attune/core'
import { Command, Option } from 'commander'
import { collect } from '../../collect.js'
import { type ConfigData, dataOfConfig, keyOf } from '../../data-of-config.js'
import { integerFrom } from '../../number-flags.js'
import { requireNewFile, writeNewFile } from '../../write-new-file.js'
import { sourceOf } from '../evaluate.js'
import { METHODS, type Method, type Selected, selectRows } from './score-pool.js'

interface SelectFlags {
  readonly run: readonly string[]
  readonly pool?: string
  readonly labelled?: string
  readonly count: number
  readonly by?: Method
  readonly embeddings?: string
  readonly output?: string
  readonly trust?: boolean
}

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

async function rowsIn(file: string): Promise<Example[]> {
  const { use, ...options } = await sourceOf(file)
  const rows: Example[] = []
  for await (const row of (use.plugin(options) as Source).open()) rows.push(row)
  return rows
}

/** A row for a person to label: its texts and other fields, an empty label, the prediction and the score. */
const toLabel = ({ row, prediction, score }: Selected, label: string): object => ({
  ...row,
  [label]: null,
  prediction,
  score: Number(score.toPrecision(6)),
})

/** Selects rows of the pool that are not among the training data. */
async function select(data: ConfigData, pool: string, output: string, flags: SelectFlags): Promise<string> {
  const { run: runs, count, by, embeddings, trust = false } = flags
  const labelled: Example[] = []
  for await (const row of data.rows()) labelled.push(row)
  const known = new Set(labelled.map((row) => keyOf(row, data.texts)))
  const all = await rowsIn(pool)
  const rest = all.filter((row) => !known.has(keyOf(row, data.texts)))
  if (rest.length === 0)
    throw new AttuneError(
      'EMPTY_DATASET',
      `${pool} has no row that is not among the training data`,
      'Name a file of unlabelled texts with --pool.',
    )
  const method = by ?? (runs.length > 1 ? 'vote-entropy' : 'entropy')
  const selected = await selectRows({ pool: rest, labelled, runs, method, count, embeddings, trust })
  writeNewFile(output, lines(selected.map((each) => toLabel(each, data.label))), '--output')
  const skipped = all.length - rest.length
  return `Wrote ${selected.length} of ${rest.length} rows to ${output}, by ${method}${skipped > 0 ? `; ${skipped} are in the training data` : ''}. Fill in "${data.label}" and merge them: npx attune select CONFIG --labelled ${output} --output FILE`
}

/** True if a person has filled in a label. */
const isLabelled = (value: unknown): boolean =>
  Array.isArray(value) || (typeof value === 'string' && value.trim() !== '') || typeof value === 'number'

/** Adds labelled rows to the training data, in a new file. */
async function merge({ rows, texts, label }: ConfigData, file: string, output: string): Promise<string> {
  const all: Example[] = []
  const known = new Set<string>()
  for await (const row of rows()) {
    all.push(row)
    known.add(keyOf(row, texts))
  }
  const counts = { added: 0, unlabelled: 0, known: 0 }
  for (const { prediction: _prediction, score: _score, ...row } of await rowsIn(file)) {
    const key = keyOf(row, texts)
    const outcome = !isLabelled(row[label]) ? 'unlabelled' : known.has(key) ? 'known' : 'added'
    counts[outcome]++
    if (outcome !== 'added') continue
    known.add(key)
    all.push(row)
  }
  if (counts.added === 0)
    throw new AttuneError(
      'EMPTY_DATASET',
      `${file} adds no rows: ${counts.unlabelled} have no label, ${counts.known} are in the training data`,
      `Fill in "${label}" in its rows.`,
    )
  writeNewFile(output, lines(all), '--output')
  return `Wrote ${all.length} rows to ${output}: ${counts.added} added, ${counts.unlabelled} without a label and ${counts.known} known left out. Train with: --set data.train="{ use: jsonl, path: ${output} }"`
}

async function act(config: string, flags: SelectFlags): Promise<void> {
  const { run, pool, labelled, output = pool === undefined ? 'train.jsonl' : 'to-label.jsonl' } = flags
  if ((pool === undefined) === (labelled === undefined) || (pool !== undefined && run.length === 0))
    throw new AttuneError(
      'BAD_USAGE',
      'expected either --pool with --run, to select rows, or --labelled, to merge them',
      'For example: npx attune select config.yaml --run runs/reviews --pool pool.jsonl',
    )
  requireNewFile(output, '--output')
  const data = await dataOfConfig(config)
  const said = pool === undefined ? await merge(data, labelled!, output) : await select(data, pool, output, flags)
  process.stdout.write(`${said}\n`)
}

/** `attune select` */
export const selectCommand = (): Command =>
  new Command('select')
    .summary('select examples to label (active learning)')
    .description(
      'Selects the rows of a pool that are most useful to label, by the uncertainty of a model, the disagreement of several, or diversity, and writes them to a file for a person to label. With --labelled it merges such a file with the training data. Existing files are never changed.',
    )
    .argument('<config>', 'configuration of the classifier; its training rows are not selected again')
    .option('--run <run>', 'run whose model predicts; repeat it for a committee', collect, [])
    .option('--pool <file>', 'unlabelled rows: .jsonl, .csv or .tsv, optionally gzipped')
    .option('--count <count>', 'number of rows', integerFrom(1), 100)
    .addOption(
      new Option('--by <method>', 'method; default: entropy, or vote-entropy for several runs').choices([...METHODS]),
    )
    .option(
      '--embeddings <model>',
      'text encoder whose vectors `diversity` compares; default: the probabilities of the run',
    )
    .option('--labelled <file>', 'labelled rows to merge with the training data')
    .option('--output <file>', 'new file; default: to-label.jsonl, with --labelled train.jsonl')
    .option('--trust', 'load plugins that a run names by a path')
    .addHelpText(
      'after',
      `
Examples:
  npx attune select config.yaml --run runs/reviews --pool pool.jsonl --count 50
  npx attune select config.yaml --run runs/a --run runs/b --run runs/c --pool pool.jsonl --by vote-entropy
  npx attune select config.yaml --labelled to-label.jsonl --output train-2.jsonl`,
    )
    .action(act)
