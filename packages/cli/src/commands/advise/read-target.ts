import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { AttuneError, type Example, SOURCE, type Source, choosePlugins, isRecord, parseConfig, use } from '@attune/core'
import { type Estimate, type RunConfig, estimateRun, userLookup } from '@attune/trainer/node'
import { parse } from 'yaml'
import { withHubModel } from '../../hub-models.js'
import { readConfig, runPart } from '../../read-config.js'
import { searchPathsFrom } from '../../search-paths.js'
import { sourceOf } from '../evaluate.js'
import type { Request } from '../init/config-text.js'
import { firstRows, requireFields, requireTask, startOf } from '../init/detect.js'
import { recognizeRows, taskOf } from '../init/recognize-rows.js'
import type { Task } from '../init/task.js'
import { type Fields, TASKS } from '../init/tasks.js'
import { type Facts, addRow, emptySummary, factsOf } from './facts.js'

/** Maximum number of rows that are read. */
const ROWS = 200_000

/** The task of chat rows, which needs a saved model. */
const CHAT: Task = {
  title: 'Instruction tuning: the answers of conversations train',
  fields: {},
  model: { name: 'llama', options: {} },
  tokenizer: { name: 'bpe', options: {}, trainedOn: [] },
  metrics: ['token-accuracy'],
  best: 'loss',
}

/** Tasks whose head has a row for each token of the vocabulary. */
const PREDICTS_TOKENS = /language-modeling$|^sequence-to-sequence$|^instruction-tuning$/

/** Objectives whose batches are never split into micro-batches. */
const COMPARES = /^(contrastive|kto|domain-alignment|next-sentence-prediction)$/

/** Facts about a task. */
const ofTask = (task: string, layout: string): Facts => ({
  task,
  layout,
  vocabularyHead: PREDICTS_TOKENS.test(task),
  comparesExamples: COMPARES.test(task),
})

/** A dataset or a configuration, with the facts that rules test. */
export interface Target {
  readonly facts: Facts
  /** A configuration is written from it. */
  readonly request: Request
  /** The given configuration, whose run can be measured. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly folder: string
}

/** Options of {@link readTarget}. */
export interface TargetOptions {
  readonly task?: string | undefined
  readonly from?: string | undefined
  /** File that a configuration will be written to; its paths are relative to it. */
  readonly output: string
  readonly memoryBytes: number
}

const isConfig = (file: string): boolean => /\.ya?ml$/i.test(file)

/** Size of the weights in a folder, in bytes of float32. */
function weightBytes(folder: string): Facts {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return {}
  const files = readdirSync(folder).filter((name) => name.endsWith('.safetensors'))
  return { modelBytes: files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) }
}

async function summarize(rows: AsyncIterable<Example>, fields: Fields): Promise<Facts> {
  const summary = emptySummary()
  for await (const row of rows) {
    addRow(summary, row, fields)
    if (summary.rows >= ROWS) break
  }
  if (summary.rows > 0) return factsOf(summary, fields)
  throw new AttuneError('EMPTY_DATASET', 'the data contain no rows', 'Check the path and the format of the file.')
}

const isChat = (row: Example): boolean => Array.isArray(row['messages']) || Array.isArray(row['conversations'])

/** Layout, task and fields of rows. */
function detect(rows: readonly Example[], file: string, given: string | undefined) {
  const { layout, ...recognized } = recognizeRows(rows)
  const chat = rows[0] !== undefined && isChat(rows[0]) && (given === undefined || given === 'instruction-tuning')
  if (chat) {
    const messages = Array.isArray(rows[0]!['messages']) ? 'messages' : 'conversations'
    return { layout, name: 'instruction-tuning', task: CHAT, fields: {}, read: { messages } as Fields }
  }
  const name = given === undefined ? taskOf({ layout, ...recognized }, file) : requireTask(given)
  const fields = requireFields(name, rows, file)
  return { layout, name, task: TASKS[name]!, fields, read: fields }
}

/** Facts about the model to start from and the memory. */
function ofModel(folder: string | undefined, memoryBytes: number): Facts {
  if (folder === undefined) return { pretrained: false, memoryBytes }
  const { modelBytes = 0 } = weightBytes(resolve(folder))
  return { pretrained: true, memoryBytes, modelBytes, weightsShare: (4 * Number(modelBytes)) / memoryBytes }
}

async function readData(file: string, { task: given, from, output, memoryBytes }: TargetOptions): Promise<Target> {
  const { layout, name, task, fields, read } = detect(await firstRows(file), file, given)
  const { use: source, ...options } = await sourceOf(file)
  const facts = await summarize((source.plugin(options) as Source).open(), read)
  const start = from === undefined ? undefined : await startOf(from, output)
  const folder = dirname(resolve(output))
  const request = { name, task, fields, data: relative(folder, resolve(file)), start }
  const model = start && (existsSync(resolve(folder, start.reference)) ? resolve(folder, start.reference) : undefined)
  const ofStart = ofModel(model, memoryBytes)
  return { facts: { ...facts, ...ofTask(name, layout), ...ofStart, pretrained: start !== undefined }, request, folder }
}

const nameOf = (node: unknown): string | undefined =>
  typeof node === 'string' ? node : isRecord(node) && typeof node['use'] === 'string' ? node['use'] : undefined

/** The fields that the objective of a configuration reads: those it names, otherwise those recognized. */
function namedFields(objective: unknown, found: Fields): Fields {
  if (!isRecord(objective)) return found
  const named = Object.keys(found).flatMap((option): [string, string][] => {
    const value = objective[option]
    return typeof value === 'string' ? [[option, value]] : []
  })
  return { ...found, ...Object.fromEntries(named) }
}

async function readConfiguration(file: string, { memoryBytes, output }: TargetOptions): Promise<Target> {
  const { config: given, folder } = readConfig(file)
  const config = await withHubModel(runPart(given), folder)
  const [data, model] = [config['data'], config['model']]
  const train = isRecord(data) ? data['train'] : undefined
  const lookup = userLookup({ baseDirectory: folder, searchPaths: searchPathsFrom(folder) })
  const { source } = await choosePlugins({ source: parseConfig(use(SOURCE), train) }, lookup)
  const open = (): AsyncIterable<Example> => (source.plugin(source.options) as Source).open()
  const first: Example[] = []
  for await (const row of open()) if (first.push(row) >= 200) break
  const objective = nameOf(config['objective'])
  const found = detect(first, file, objective !== undefined && objective in TASKS ? objective : undefined)
  const read = namedFields(config['objective'], found.read)
  const from = isRecord(model) && typeof model['from'] === 'string' ? resolve(folder, model['from']) : undefined
  const facts = { ...(await summarize(open(), read)), ...ofTask(objective ?? found.name, found.layout) }
  const path = String(source.options['path'] ?? '')
  const start = from === undefined ? undefined : await startOf(from, output)
  const request = { ...found, fields: read, data: relative(dirname(resolve(output)), path), start }
  return { facts: { ...facts, ...ofModel(from, memoryBytes) }, request, config, folder }
}

/**
 * Reads a data file or a configuration, and finds the facts that rules test.
 * @throws AttuneError the errors of the configuration and the data; `NO_FIELDS`; `UNKNOWN_TASK`; `EMPTY_DATASET`
 */
export const readTarget = (file: string, options: TargetOptions): Promise<Target> =>
  isConfig(file) ? readConfiguration(file, options) : readData(file, options)

/**
 * Facts of a run that is measured: the fraction of the memory that it takes, and its time.
 * @param text a configuration to measure, if the target is not one
 * @param budgetMinutes time that may be spent; undefined without a limit
 */
export async function measure({ config, folder }: Target, text: string, memoryBytes: number, budgetMinutes?: number) {
  const whole = config ?? (await withHubModel(parse(text) as Record<string, unknown>, folder))
  const found: Estimate = await estimateRun(whole as unknown as RunConfig, {
    baseDirectory: folder,
    searchPaths: searchPathsFrom(folder),
  })
  const minutes = found.seconds === undefined ? undefined : found.seconds / 60
  return {
    memoryShare: found.peakBytes / memoryBytes,
    ...(minutes === undefined ? {} : { minutes }),
    ...(minutes === undefined || budgetMinutes === undefined ? {} : { timeShare: minutes / budgetMinutes }),
  }
}
