import { existsSync, writeFileSync } from 'node:fs'
import { relative, dirname, resolve } from 'node:path'
import { AttuneError, type Example, type Kind, type OptionsSchema, type Source, fileName, nearest } from '@attune/core'
import { findInstalled, installedPlugins } from '@attune/resolve'
import { runSchema } from '@attune/trainer/node'
import { Command } from 'commander'
import { stringify } from 'yaml'
import { optionRows } from '../option-rows.js'
import { placesFrom } from '../places.js'
import { sourceOf } from './evaluate.js'

const TASKS = ['sequence-classification']
const SAMPLE = 200

/** Which fields look like the text and the label: the longest strings, and the strings that repeat most. */
export function guessFields(rows: readonly Example[]): { text: string; label: string } | undefined {
  const fields = Object.keys(rows[0] ?? {}).map((name) => {
    const values = rows
      .map((row) => row[name])
      .filter((value) => typeof value === 'string' || typeof value === 'number')
    const length = values.reduce<number>((sum, value) => sum + String(value).length, 0) / Math.max(1, values.length)
    return { name, length, distinct: new Set(values).size, complete: values.length === rows.length }
  })
  const complete = fields.filter((field) => field.complete)
  const text = [...complete].sort((a, b) => b.length - a.length)[0]
  const label = complete.filter((field) => field !== text).sort((a, b) => a.distinct - b.distinct)[0]
  return text === undefined || label === undefined ? undefined : { text: text.name, label: label.name }
}

async function firstRows(file: string): Promise<Example[]> {
  const { use, ...options } = await sourceOf(file)
  const source = use.plugin(options) as Source
  const rows: Example[] = []
  for await (const row of source.open()) if (rows.push(row) >= SAMPLE) break
  return rows
}

/** Options as comments, with their defaults or, where they have none, their types. */
function commented(options: OptionsSchema, indent: string): string[] {
  return optionRows(options).map(
    ({ name, default: value, type, description }) =>
      `${indent}# ${name}: ${value === '' ? `…   # ${type}.` : `${value}   #`} ${description}`,
  )
}

/** The options that are not set. */
const commentedBut = (options: OptionsSchema, set: readonly string[]): string[] =>
  commented(options, '  ').filter((line) => !set.some((option) => line.startsWith(`  # ${option}:`)))

interface Fields {
  readonly text: string
  readonly label: string
}

/** One part of the configuration: its plugin, the options that are set, and as comments the others with their defaults. */
async function part(
  kind: string,
  name: string,
  set: Readonly<Record<string, unknown>>,
  folders: readonly string[],
): Promise<string> {
  const { plugin } = await findInstalled({ name: kind } as Kind<unknown>, fileName(name), { folders })
  const others = installedPlugins(folders).filter((each) => each.kind === kind && each.name !== name)
  const settings = Object.entries(set).map(([option, value]) => `  ${option}: ${stringify(value).trim()}`)
  const unset = commentedBut(plugin.options, Object.keys(set))
  return [
    `# ${plugin.summary}.${others.length > 0 ? ` Also installed: ${others.map((each) => each.name).join(', ')}.` : ''}`,
    `${kind}:`,
    `  use: ${name}`,
    ...settings,
    ...unset,
    '',
  ].join('\n')
}

const SMALL_BERT = {
  hiddenSize: 128,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 512,
  maxPositionEmbeddings: 128,
  initializerRange: 0.05,
}

/** The parts of a run that are usually left as they are. */
function others(): string[] {
  const { adapter, engine, saveAs } = runSchema.shape
  const usual = [
    ['adapter', 'full', adapter],
    ['engine', 'auto', engine],
    ['saveAs', 'float32', saveAs],
  ] as const
  return [...usual.map(([name, value, { description }]) => `# ${name}: ${value}   # ${description ?? ''}`), '']
}

const TRAINING = {
  epochs: '5',
  batchSize: '32',
  learningRate: '1.0e-3   # for a model from scratch; about 5.0e-5 for one that starts from a saved model',
}

/** What follows the parts that plugins' schemas describe. */
const end = (): string =>
  [
    'metric: [accuracy, f1]',
    'callback:',
    '  - { use: checkpoint, best: accuracy }',
    'tracker: [console, jsonl]',
    '',
    ...others(),
    'training:',
    ...Object.entries(TRAINING).map(([name, value]) => `  ${name}: ${value}`),
    ...commentedBut(runSchema.shape.training.unwrap(), Object.keys(TRAINING)),
    '',
  ].join('\n')

/** An option that is written only where it differs from what is usual. */
const unlessUsual = (option: string, value: string, usual: string): Record<string, string> =>
  value === usual ? {} : { [option]: value }

async function configText(data: string, { text, label }: Fields, folders: readonly string[]): Promise<string> {
  const { use, ...options } = await sourceOf(data)
  const source = stringify({ use: use.plugin.name, ...options, path: data }, { collectionStyle: 'flow' }).trim()
  const fields = { ...unlessUsual('text', text, 'text'), ...unlessUsual('label', label, 'label') }
  return [
    '# A text classifier. Train it with: attune train <this file>',
    'seed: 0',
    'directory: run',
    '',
    'data:',
    `  train: ${source}`,
    '  # validation: { … }   # without it, the protocol sets some of the training examples aside',
    '  # test: { … }         # for `attune evaluate`',
    '',
    await part('protocol', 'holdout', unlessUsual('stratifyBy', label, 'label'), folders),
    await part('tokenizer', 'wordpiece', unlessUsual('field', text, 'text'), folders),
    await part('model', 'bert', SMALL_BERT, folders),
    await part('objective', 'sequence-classification', fields, folders),
    await part('optimizer', 'adamw', {}, folders),
    await part('scheduler', 'linear', { warmupRatio: 0.1 }, folders),
    end(),
  ].join('\n')
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' })
  } catch (cause) {
    throw new AttuneError(
      'CANNOT_WRITE',
      `${file} could not be written: ${(cause as Error).message}`,
      'Name a file in a folder that is there and may be written to: --output FILE.',
      { cause },
    )
  }
}

function checkTask(task: string): void {
  if (TASKS.includes(task)) return
  const [near = TASKS[0]] = nearest(task, TASKS)
  throw new AttuneError('UNKNOWN_TASK', `no task is called "${task}"`, `Try: attune init ${near}`)
}

/** `attune init` */
export const initCommand = (): Command =>
  new Command('init')
    .summary('write a commented configuration')
    .description('Writes a configuration for a task, with every option of the plugins it uses as a comment.')
    .argument('[task]', TASKS.join(', '), TASKS[0])
    .requiredOption('--data <file>', 'the training examples: .jsonl, .csv or .tsv, gzipped or not')
    .option('--output <file>', 'where to write it', 'attune.yaml')
    .addHelpText('after', '\nExample:\n  attune init sequence-classification --data reviews.csv --output reviews.yaml')
    .action(async (task: string, flags: { data: string; output: string }) => {
      checkTask(task)
      if (existsSync(flags.output))
        throw new AttuneError(
          'FILE_EXISTS',
          `${flags.output} exists, and is not overwritten`,
          'Name another file: --output FILE.',
        )
      const { folders } = placesFrom()
      const fields = guessFields(await firstRows(flags.data))
      if (fields === undefined)
        throw new AttuneError(
          'NO_FIELDS',
          `${flags.data} has no two fields that every row fills`,
          'Give rows a text and a label.',
        )
      const data = relative(dirname(resolve(flags.output)), resolve(flags.data))
      write(flags.output, await configText(data, fields, folders))
      process.stdout.write(
        `Wrote ${flags.output}: texts from "${fields.text}", labels from "${fields.label}".\nTrain with: attune train ${flags.output}\n`,
      )
    })
