import type { Example } from '@attune/core'
import type { Fields } from '../init/tasks.js'

/** A value that a rule can test. */
export type Fact = number | string | boolean

/** Facts about a dataset, a model and a budget, by name; a fact that is unknown is absent. */
export type Facts = Readonly<Record<string, Fact>>

/** Unicode scripts that are counted. */
const SCRIPTS = ['Latin', 'Cyrillic', 'Greek', 'Arabic', 'Hebrew', 'Devanagari', 'Han', 'Hiragana', 'Hangul', 'Thai']
const PATTERNS = SCRIPTS.map((script) => new RegExp(`\\p{Script=${script}}`, 'gu'))

/** Names of fields that hold a time. */
const TIMES = /^(date|time|timestamp|datetime|created(_?at)?|published(_?at)?)$/i

/** Maximum number of characters of a text that are read to find its script. */
const READ = 400

/** A running summary of the rows. */
export interface Summary {
  rows: number
  duplicates: number
  readonly seen: Set<string>
  readonly words: number[]
  readonly classes: Map<string, number>
  readonly scripts: number[]
  readonly numbers: number[]
  fields: Example
}

/** An empty summary. */
export const emptySummary = (): Summary => ({
  rows: 0,
  duplicates: 0,
  seen: new Set(),
  words: [],
  classes: new Map(),
  scripts: SCRIPTS.map(() => 0),
  numbers: [],
  fields: {},
})

/** All text in a value: a string, a list of words, or the messages of a conversation. */
function textIn(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  if (Array.isArray(value)) return value.map(textIn).join(' ')
  if (typeof value !== 'object' || value === null) return ''
  const { content, value: said } = value as Record<string, unknown>
  return textIn(content ?? said ?? '')
}

const labelsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : value == null ? [] : [String(value)]

/** Adds a row to a summary. @param fields the fields that the objective reads, by option */
export function addRow(summary: Summary, row: Example, fields: Fields): void {
  const { label: labels, number: numbers, tags: _tags, ...texts } = fields
  const [[label], [number]] = [[labels].flat(), [numbers].flat()]
  const text = Object.values(texts)
    .flat()
    .map((field) => textIn(row[field]))
    .join(' ')
  summary.rows++
  if (summary.seen.has(text)) summary.duplicates++
  summary.seen.add(text)
  summary.words.push(text.split(/\s+/u).filter((word) => word !== '').length)
  const start = text.slice(0, READ)
  for (const [i, pattern] of PATTERNS.entries()) summary.scripts[i]! += start.match(pattern)?.length ?? 0
  if (label !== undefined)
    for (const name of labelsIn(row[label])) summary.classes.set(name, (summary.classes.get(name) ?? 0) + 1)
  if (number !== undefined && Number.isFinite(Number(row[number]))) summary.numbers.push(Number(row[number]))
  summary.fields = { ...row, ...summary.fields }
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0

/** Facts about the distribution of labels, if there are labels. */
function ofClasses({ classes, rows }: Summary): Facts {
  const counts = [...classes.values()].sort((a, b) => a - b)
  const [smallest, largest] = [counts[0], counts.at(-1)]
  if (smallest === undefined || largest === undefined) return {}
  return {
    classes: counts.length,
    rowsOfSmallestClass: smallest,
    imbalance: largest / smallest,
    largestShare: largest / rows,
  }
}

/** Distance of the most extreme number from the median, in multiples of the interquartile range. */
function ofNumbers({ numbers }: Summary): Facts {
  if (numbers.length === 0) return {}
  const sorted = [...numbers].sort((a, b) => a - b)
  const [low, middle, high] = [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)]
  const range = Math.max(high - low, Number.EPSILON)
  return { outlier: Math.max(middle - sorted[0]!, sorted.at(-1)! - middle) / range }
}

/** Fields that look like another label: strings with few distinct values would need all rows, so only names count. */
const otherLabels = (row: Example, label: string): number =>
  Object.keys(row).filter((name) => name !== label && /^(label|category|class|topic|sentiment)s?(_\w+)?$/i.test(name))
    .length

/** Facts of a summary. */
export function factsOf(summary: Summary, fields: Fields): Facts {
  const words = [...summary.words].sort((a, b) => a - b)
  const letters = summary.scripts.reduce((sum, count) => sum + count, 0)
  const most = summary.scripts.indexOf(Math.max(...summary.scripts))
  const [[text], [label]] = [[fields['text']].flat(), [fields['label']].flat()]
  const time = Object.keys(summary.fields).find((name) => TIMES.test(name))
  return {
    rows: summary.rows,
    duplicates: summary.duplicates / Math.max(1, summary.rows),
    medianWords: quantile(words, 0.5),
    longWords: quantile(words, 0.95),
    ...(letters === 0 ? {} : { script: SCRIPTS[most]!, scriptShare: summary.scripts[most]! / letters }),
    ...(time === undefined ? {} : { timeField: time }),
    ...(text === undefined ? {} : { textField: text }),
    ...(label === undefined ? {} : { labelField: label, otherLabels: otherLabels(summary.fields, label) }),
    ...ofClasses(summary),
    ...ofNumbers(summary),
  }
}
