import { type Kind, type OptionsSchema, fileName, isRecord } from '@attune/core'
import { findInstalled, installedPlugins } from '@attune/resolve'
import { runSchema } from '@attune/trainer/node'
import { stringify } from 'yaml'
import { optionRows } from '../../option-rows.js'
import { searchPathsFrom } from '../../search-paths.js'
import { sourceOf } from '../evaluate.js'
import type { PluginChoice, Task } from './task.js'
import type { Fields } from './tasks.js'

/** A saved model to start from: how the configuration names it, and the plugins that read it. */
export interface Start {
  readonly reference: string
  readonly model: string
  readonly tokenizer: string
}

/** Everything that a configuration is written from. */
export interface Request {
  readonly name: string
  readonly task: Task
  readonly fields: Fields
  /** Path of the training examples, relative to the configuration. */
  readonly data: string
  readonly start: Start | undefined
  /** Settings that replace the usual ones, by path: plugins as `{ use, … }`, `training.x`, `best`, `earlyStopping`. Default: none. */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** Options as comments, each with its default or, without one, its type. */
const commented = (options: OptionsSchema, set: readonly string[]): string[] =>
  optionRows(options)
    .filter(({ name }) => !set.includes(name))
    .map(
      ({ name, default: value, type, description }) =>
        `  # ${name}: ${value === '' ? `…   # ${type}.` : `${value}   #`} ${description}`,
    )

/** A plugin's section: the options that are set, and the others as comments with their defaults. */
async function section(kind: string, { name, options }: PluginChoice): Promise<string> {
  const { folders } = searchPathsFrom()
  const { plugin } = await findInstalled({ name: kind } as Kind<unknown>, fileName(name), { folders })
  const others = installedPlugins(folders).filter((each) => each.kind === kind && each.name !== name)
  const settings = Object.entries(options).map(([option, value]) => `  ${option}: ${flow(value)}`)
  return [
    `# ${plugin.summary}.${others.length > 0 ? ` Also installed: ${others.map((each) => each.name).join(', ')}.` : ''}`,
    `${kind}:`,
    `  use: ${name}`,
    ...settings,
    ...commented(plugin.options, Object.keys(options)),
    '',
  ].join('\n')
}

const flow = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()

/** Settings of the run that are usually left at their defaults. */
function defaults(set: readonly string[]): string[] {
  const { adapter, engine, saveAs } = runSchema.shape
  const usual = [
    ['adapter', 'full', adapter],
    ['engine', 'auto', engine],
    ['saveAs', 'float32', saveAs],
  ] as const
  const left = usual.filter(([name]) => !set.includes(name))
  return [...left.map(([name, value, { description }]) => `# ${name}: ${value}   # ${description ?? ''}`), '']
}

const training = (start: Start | undefined): Readonly<Record<string, string>> => ({
  epochs: start === undefined ? '5' : '3',
  batchSize: start === undefined ? '32' : '16',
  learningRate: start === undefined ? '1.0e-3   # for new weights; about 5.0e-5 for a pretrained model' : '5.0e-5',
})

/** Settings of `training`, by name. */
const trainingOf = ({ start, settings = {} }: Request): Readonly<Record<string, string>> => ({
  ...training(start),
  ...Object.fromEntries(
    Object.entries(settings).flatMap(([path, value]) =>
      path.startsWith('training.') ? [[path.slice('training.'.length), String(value)]] : [],
    ),
  ),
})

/** The sections after those of single plugins. */
const end = (request: Request): string => {
  const { task, settings = {} } = request
  const set = trainingOf(request)
  const best = String(settings['best'] ?? task.best)
  return [
    ...(task.metrics.length > 0 ? [`metric: ${flow(task.metrics)}`] : []),
    'callback:',
    `  - { use: checkpoint, best: ${best} }`,
    ...(settings['earlyStopping'] === true ? [`  - { use: early-stopping, metric: ${best}, patience: 3 }`] : []),
    'tracker: [console, jsonl]',
    '',
    ...defaults(Object.keys(settings)),
    'training:',
    ...Object.entries(set).map(([name, value]) => `  ${name}: ${value}`),
    ...commented(runSchema.shape.training.unwrap(), Object.keys(set)),
    '',
  ].join('\n')
}

/** The fields of a task without those that its objective reads by default. */
export const namedFields = ({ fields: usual }: Task, fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([option, field]) => usual[option]?.[0] !== field))

/** The tokenizer: the saved model's, or one whose vocabulary is trained on the texts that the objective reads. */
function tokenizerOf({ task, fields, start }: Request): PluginChoice {
  if (start !== undefined) return { name: start.tokenizer, options: { path: start.reference } }
  const { name, options, trainedOn } = task.tokenizer
  const read = trainedOn.flatMap((option) => fields[option] ?? [])
  const field = read.length > 1 ? read : (read[0] ?? 'text')
  return { name, options: { ...options, ...(field === 'text' ? {} : { field }) } }
}

/** A plugin among the settings, as the configuration writes it: `{ use, …options }`. */
function chosenIn(settings: Request['settings'], kind: string): PluginChoice | undefined {
  const found = settings?.[kind]
  if (!isRecord(found)) return undefined
  const { use, ...options } = found
  return { name: String(use), options }
}

/** Kinds that a configuration has only if the settings name a plugin of them, in the order in which they are written. */
const OPTIONAL = ['filter', 'balancer', 'adapter', 'loss']

async function optionalSections(settings: Request['settings']): Promise<string[]> {
  const chosen = OPTIONAL.flatMap((kind) => {
    const choice = chosenIn(settings, kind)
    return choice === undefined ? [] : [section(kind, choice)]
  })
  return Promise.all(chosen)
}

const savedModel = ({ model, reference }: Start) => ({ name: model, options: { from: reference } })

const modelOf = ({ task, start }: Request): PluginChoice =>
  start === undefined || task.hasTeacher === true ? task.model : savedModel(start)

/** The section of the auxiliary models, if the saved model is a teacher. */
const teacherOf = ({ task, start }: Request): readonly string[] =>
  task.hasTeacher === true && start !== undefined
    ? [
        '# Frozen models that the objective reads.',
        'models:',
        `  teacher: ${flow({ use: start.model, from: start.reference })}`,
        '',
      ]
    : []

/** The text of a configuration: every option of the plugins it uses is there, set or as a comment. */
export async function configText(request: Request): Promise<string> {
  const { name, task, fields, data } = request
  const { use, path: _, ...options } = await sourceOf(data)
  const source = flow({ use: use.plugin.name, ...options, path: data })
  const named = namedFields(task, fields)
  const own = task.nested === undefined ? named : { task: { use: task.nested, ...named } }
  const { label } = fields
  const protocol = task.stratified === true ? (label === 'label' ? {} : { stratifyBy: label }) : { stratifyBy: null }
  return [
    `# ${task.title}.`,
    '# Train with: npx attune train <this file>',
    'seed: 0',
    'directory: run',
    '',
    'data:',
    `  train: ${source}`,
    '  # validation: { … }   # without it, the protocol splits validation data off the training data',
    '  # test: { … }         # for `npx attune evaluate`',
    '',
    await section('protocol', { name: 'holdout', options: protocol }),
    await section('tokenizer', tokenizerOf(request)),
    await section('model', modelOf(request)),
    ...teacherOf(request),
    await section('objective', { name, options: { ...own, ...task.objective } }),
    await section('optimizer', task.optimizer ?? { name: 'adamw', options: {} }),
    await section(
      'scheduler',
      chosenIn(request.settings, 'scheduler') ?? { name: 'linear', options: { warmupRatio: 0.1 } },
    ),
    ...(await optionalSections(request.settings)),
    end(request),
  ].join('\n')
}
