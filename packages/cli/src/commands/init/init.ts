import { existsSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { AttuneError, type Example, type Source, nearest } from '@attune/core'
import { pluginsOfModel } from '@attune/trainer/node'
import { Command } from 'commander'
import { folderOf } from '../../hub-models.js'
import { searchPathsFrom } from '../../search-paths.js'
import { requireNewFile, writeNewFile } from '../../write-new-file.js'
import { sourceOf } from '../evaluate.js'
import { type Start, configText } from './config-text.js'
import { fieldsFor, recognizeRows, taskOf } from './recognize-rows.js'
import { type Fields, TASKS } from './tasks.js'

/** Rows that are read to recognize the layout. */
const SAMPLE = 200

async function firstRows(file: string): Promise<Example[]> {
  const { use, ...options } = await sourceOf(file)
  const source = use.plugin(options) as Source
  const rows: Example[] = []
  for await (const row of source.open()) if (rows.push(row) >= SAMPLE) break
  return rows
}

/** @throws AttuneError `UNKNOWN_TASK` */
function requireTask(name: string): string {
  const names = Object.keys(TASKS)
  if (names.includes(name)) return name
  const near = nearest(name, names)
  throw new AttuneError(
    'UNKNOWN_TASK',
    `expected a task, got "${name}"`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Tasks: ${names.join(', ')}.`,
  )
}

/** @throws AttuneError `NO_FIELDS` */
function requireFields(name: string, rows: readonly Example[], file: string): Fields {
  const task = TASKS[name]!
  const fields = fieldsFor(name, task, rows)
  if (fields !== undefined) return fields
  const wanted = Object.entries(task.fields).map(([option, names]) => `${option} (named ${names.join(', ')})`)
  throw new AttuneError(
    'NO_FIELDS',
    `${file}: expected fields for ${wanted.join(' and ')}, got ${Object.keys(rows[0] ?? {}).join(', ') || 'no rows'}`,
    'Fill these fields in every row, or name another task: npx attune init --help lists them.',
  )
}

/** The saved model of `--from`, as a configuration at `output` names it. */
async function startOf(reference: string, output: string): Promise<Start> {
  const folder = await folderOf(reference)
  const named = existsSync(reference) ? relative(dirname(resolve(output)), folder) || '.' : reference
  return { reference: named, ...(await pluginsOfModel(folder, searchPathsFrom())) }
}

interface InitFlags {
  readonly data: string
  readonly from?: string
  readonly output: string
}

async function init(given: string | undefined, { data: file, from, output }: InitFlags): Promise<void> {
  if (given !== undefined) requireTask(given)
  requireNewFile(output, '--output')
  const rows = await firstRows(file)
  const recognized = recognizeRows(rows)
  const name = given ?? taskOf(recognized, file)
  const fields = requireFields(name, rows, file)
  const start = from === undefined ? undefined : await startOf(from, output)
  const data = relative(dirname(resolve(output)), resolve(file))
  writeNewFile(output, await configText({ name, task: TASKS[name]!, fields, data, start }), '--output')
  const unread = Object.keys(rows[0] ?? {}).filter((field) => !Object.values(fields).flat().includes(field))
  const read = Object.entries(fields).map(([option, field]) => `${option} from "${[field].flat().join('", "')}"`)
  process.stdout.write(
    [
      `Wrote ${output}: ${name}${given === undefined ? `, which fits ${recognized.layout}` : ''}.`,
      `Fields: ${read.join(', ')}${unread.length > 0 ? `; not used: ${unread.join(', ')}` : ''}.`,
      `Train with: npx attune train ${output}`,
      '',
    ].join('\n'),
  )
}

/** `attune init` */
export const initCommand = (): Command =>
  new Command('init')
    .summary('write a commented configuration')
    .description(
      'Writes a configuration for a task, with every option of its plugins as a comment. Without a task, the rows of the data decide.',
    )
    .argument('[task]', Object.keys(TASKS).join(', '))
    .requiredOption('--data <file>', 'training examples: .jsonl, .csv or .tsv, optionally gzipped')
    .option(
      '--from <model>',
      'saved model to start from: a folder, or a model of the Hub such as google-bert/bert-base-uncased',
    )
    .option('--output <file>', 'file to write', 'attune.yaml')
    .addHelpText(
      'after',
      `
Tasks:
${Object.entries(TASKS)
  .map(([name, { title }]) => `  ${name.padEnd(30)} ${title}`)
  .join('\n')}

Examples:
  npx attune init --data reviews.csv
  npx attune init token-classification --data tagged.jsonl --output tagger.yaml
  npx attune init --data reviews.csv --from distilbert/distilbert-base-uncased`,
    )
    .action(init)
