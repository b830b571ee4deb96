import { AttuneError, type Example, isRecord } from '@attune/core'
import { choiceFields, spanFields } from './question-rows.js'
import type { Task } from './task.js'
import { type Fields, TASKS, everyRow } from './tasks.js'

const isText = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number'
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === 'string')

/** Statistics of a field that every row fills with a string or a number. */
interface TextField {
  readonly name: string
  /** Mean length in characters. */
  readonly length: number
  readonly distinct: number
}

function textFields(rows: readonly Example[]): TextField[] {
  return Object.keys(rows[0] ?? {})
    .filter((name) => everyRow(rows, name, isText))
    .map((name) => {
      const values = rows.map((row) => String(row[name]))
      const length = values.reduce((sum, value) => sum + value.length, 0) / rows.length
      return { name, length, distinct: new Set(values).size }
    })
}

const longestFirst = (fields: readonly TextField[]): TextField[] => [...fields].sort((a, b) => b.length - a.length)
const fewestValuesFirst = (fields: readonly TextField[]): TextField[] =>
  [...fields].sort((a, b) => a.distinct - b.distinct)

/** The usual name among the rows' fields whose values `is` accepts. */
const named = (rows: readonly Example[], names: readonly string[], is: (value: unknown) => boolean) =>
  names.find((name) => everyRow(rows, name, is))

/** Usual names of the two texts of a pair. */
const PAIRS = [
  ['premise', 'hypothesis'],
  ['sentence1', 'sentence2'],
  ['text1', 'text2'],
  ['question1', 'question2'],
  ['question', 'sentence'],
] as const

/** The fields of a pair of texts that every row has: entailment, paraphrase, similarity. */
const pairFields = (rows: readonly Example[]): { readonly text: string; readonly pair: string } | undefined => {
  const names = PAIRS.find((pair) => pair.every((name) => everyRow(rows, name, isText)))
  return names === undefined ? undefined : { text: names[0], pair: names[1] }
}

/** True if all values of a field are numbers and some have decimals: similarities, ratings. */
const isDecimal = (rows: readonly Example[], field: string): boolean =>
  everyRow(rows, field, (value) => value !== '' && Number.isFinite(Number(value))) &&
  rows.some((row) => !Number.isInteger(Number(row[field])))

/** The fields of pairs of texts with a number; undefined for other rows. */
function similarityFields(rows: readonly Example[]): Fields | undefined {
  const pair = pairFields(rows)
  const number = ['score', 'similarity', 'label', 'number'].find((field) => isDecimal(rows, field))
  return pair === undefined || number === undefined ? undefined : { ...pair, number }
}

/** The text and the label: fields with the usual names, else the longest strings and the strings that repeat most. */
export function classificationFields(rows: readonly Example[]): Fields | undefined {
  const { text: texts, label: labels } = TASKS['sequence-classification']!.fields
  const fields = textFields(rows)
  const label = named(rows, labels!, isText)
  const longest = (): string | undefined => longestFirst(fields.filter(({ name }) => name !== label))[0]?.name
  const read = pairFields(rows) ?? { text: named(rows, texts!, isText) ?? longest() }
  const others = fields.filter(({ name }) => !Object.values(read).includes(name))
  const chosen = label ?? fewestValuesFirst(others)[0]?.name
  if (read.text === undefined || chosen === undefined) return undefined
  return { ...(read as Fields), label: chosen }
}

const has = (rows: readonly Example[], ...names: readonly string[]): boolean =>
  names.every((name) => everyRow(rows, name, isText))

const isFlag = (value: unknown): boolean => [true, false, 0, 1].includes(value as boolean)

/** The fields of rows of preferences, which have fixed names, except for the label of KTO. */
function preferenceFields(name: string, rows: readonly Example[]): Fields | undefined {
  if (name === 'kto') {
    const label = named(rows, TASKS['kto']!.fields['label']!, isFlag)
    if (label === undefined || !has(rows, 'prompt', 'completion')) return undefined
    return { prompt: 'prompt', completion: 'completion', label }
  }
  if (!has(rows, 'chosen', 'rejected')) return undefined
  return { ...(has(rows, 'prompt') ? { prompt: 'prompt' } : {}), chosen: 'chosen', rejected: 'rejected' }
}

/** Fields with fixed names that rows of an objective have, in one of several layouts. */
const LAYOUTS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  grpo: [['prompt']],
  'instruction-tuning': [['prompt', 'completion'], ['messages'], ['conversations'], ['instruction', 'output']],
}

/** The fields of the first layout that all rows have; undefined if they have none. */
function layoutFields(layouts: readonly (readonly string[])[], rows: readonly Example[]): Fields | undefined {
  const isThere = (name: string): boolean => everyRow(rows, name, (value) => value !== undefined && value !== null)
  const names = layouts.find((each) => each.every(isThere))
  return names && Object.fromEntries(names.map((name) => [name, name]))
}

/** The fields that a task's objective reads, or undefined if the rows do not have them. */
export function fieldsFor(name: string, { fields }: Task, rows: readonly Example[]): Fields | undefined {
  if (['sequence-classification', 'distillation'].includes(name)) return classificationFields(rows)
  if (LAYOUTS[name] !== undefined) return layoutFields(LAYOUTS[name], rows)
  if (name === 'span-extraction') return spanFields(rows, fields)
  if (name === 'multiple-choice') return choiceFields(rows, fields)
  const pair = name === 'regression' ? similarityFields(rows) : undefined
  if (pair !== undefined) return pair
  if (['preferences', 'reward-modeling', 'kto'].includes(name)) return preferenceFields(name, rows)
  const isList = (option: string): boolean =>
    name === 'token-classification' || (name === 'multi-label-classification' && option === 'label')
  const others = longestFirst(textFields(rows)).map((field) => field.name)
  const found = new Map<string, string>()
  for (const [option, names] of Object.entries(fields)) {
    const free = (field: string): boolean => ![...found.values()].includes(field)
    const is = isList(option) ? isTexts : isText
    const field = named(rows, names.filter(free), is) ?? (is === isText ? others.find(free) : undefined)
    if (field === undefined) return undefined
    found.set(option, field)
  }
  return Object.fromEntries(found)
}

/** A layout of rows, and the task that it is for; `undefined` where no installed objective trains on it as it is. */
export interface Layout {
  readonly layout: string
  readonly task: string | undefined
  readonly remedy?: string
}

/** Chat rows: `messages: [{ role, content }]`, or ShareGPT's `conversations: [{ from, value }]`. */
function isChat(rows: readonly Example[]): boolean {
  const turns = (name: string, keys: readonly string[]): boolean =>
    everyRow(
      rows,
      name,
      (value) => Array.isArray(value) && value.every((turn) => isRecord(turn) && keys.every((key) => key in turn)),
    )
  return turns('messages', ['role', 'content']) || turns('conversations', ['from', 'value'])
}

/** True if a field with a usual name holds numbers, some with decimals, and no other field holds labels. */
function hasNumbers(rows: readonly Example[]): boolean {
  const label = named(rows, TASKS['sequence-classification']!.fields['label']!, isText)
  const numbers = TASKS['regression']!.fields['number']!.filter((field) => isDecimal(rows, field))
  return numbers.length > 0 && (label === undefined || numbers.includes(label))
}

/** Recognizes the layout of rows by their fields. */
export function recognizeRows(rows: readonly Example[]): Layout {
  if (isChat(rows))
    return {
      layout: 'chat messages',
      task: undefined,
      remedy:
        'Name the task, and a saved model whose tokenizer has a chat template: npx attune init instruction-tuning --from FOLDER.',
    }
  if (spanFields(rows, TASKS['span-extraction']!.fields) !== undefined)
    return { layout: 'questions, contexts and answers', task: 'span-extraction' }
  if (choiceFields(rows, TASKS['multiple-choice']!.fields) !== undefined)
    return { layout: 'questions and choices', task: 'multiple-choice' }
  if (similarityFields(rows) !== undefined) return { layout: 'pairs of texts with a number', task: 'regression' }
  if (everyRow(rows, 'chosen', Array.isArray) && everyRow(rows, 'rejected', Array.isArray))
    return {
      layout: 'preferences between conversations',
      task: undefined,
      remedy:
        'Train on them with `objective: preferences` and a saved model whose tokenizer has a chat template: `model: { use: llama, from: FOLDER }`.',
    }
  if (has(rows, 'chosen', 'rejected')) return { layout: 'preferences', task: 'preferences' }
  if (preferenceFields('kto', rows) !== undefined) return { layout: 'labelled completions', task: 'kto' }
  if (has(rows, 'instruction', 'output')) return { layout: 'Alpaca instructions', task: 'sequence-to-sequence' }
  if (has(rows, 'prompt', 'completion')) return { layout: 'prompts and completions', task: 'sequence-to-sequence' }
  if (fieldsFor('token-classification', TASKS['token-classification']!, rows) !== undefined)
    return { layout: 'words and tags', task: 'token-classification' }
  if (fieldsFor('multi-label-classification', TASKS['multi-label-classification']!, rows) !== undefined)
    return { layout: 'texts and lists of labels', task: 'multi-label-classification' }
  const { text, target } = TASKS['sequence-to-sequence']!.fields
  const [source, output] = [text!.find((name) => has(rows, name)), target!.find((name) => has(rows, name))]
  if (source !== undefined && output !== undefined)
    return { layout: 'sources and targets', task: 'sequence-to-sequence' }
  const { text: anchors, pair } = TASKS['contrastive']!.fields
  const isPair = anchors!.some((name) => has(rows, name)) && pair!.slice(0, 3).some((name) => has(rows, name))
  if (isPair && !has(rows, 'label')) return { layout: 'pairs of texts', task: 'contrastive' }
  if (hasNumbers(rows)) return { layout: 'texts and numbers', task: 'regression' }
  if (textFields(rows).length === 1) return { layout: 'plain texts', task: 'causal-language-modeling' }
  return { layout: 'texts and labels', task: 'sequence-classification' }
}

/**
 * The task that fits rows of a recognized layout.
 * @throws AttuneError `NO_FIELDS` if no installed objective trains on this layout
 */
export function taskOf({ layout, task, remedy = '' }: Layout, file: string): string {
  if (task !== undefined) return task
  throw new AttuneError('NO_FIELDS', `${file}: expected rows that a task reads, got ${layout}`, remedy)
}
