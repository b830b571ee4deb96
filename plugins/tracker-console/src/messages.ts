import type { Command, EventOf, RunEvent, RunEvents, Score } from '@attune/core'
import {
  column,
  curve,
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatShort,
  shorten,
  table,
} from '@attune/terminal'
import type { Progress } from './progress.js'
import type { Paint } from './terminal.js'

/** What a message may draw on besides its event. */
export interface Context {
  readonly progress: Progress
  readonly columns: number
  readonly paint: Paint
}

type Messages = { readonly [K in keyof RunEvents]?: (event: EventOf<K>, context: Context) => string[] }

/** A command's type and, where it has one, its label: `save best`. */
const commandWords = (command: Command): string =>
  'label' in command && command.label !== undefined ? `${command.type} ${command.label}` : command.type

const MOST_ROWS = 30
/** Columns of the terminal that a label may take. */
const WIDEST = 40
const indented = (text: string): string => text.replaceAll('\n', '\n  ')

const facts = ({
  seed,
  steps,
  epochs,
  examples,
  parameters,
  trainableParameters,
  engine,
  directory,
}: RunEvents['run.started']) => [
  `  ${formatCount(examples)} examples, ${formatCount(epochs)} epochs, ${formatCount(steps)} steps, seed ${seed}`,
  `  ${formatShort(parameters)} parameters, ${formatShort(trainableParameters)} of them trained; ${engine}`,
  ...(directory === undefined ? [] : [`  ${directory}`]),
]

/** Rows by part and columns by number, as many as fit a glance. */
function partsTable({ parts = {} }: Score): string[] {
  const rows = Object.entries(parts)
  const seen = rows.slice(0, MOST_ROWS)
  const names = [...new Set(seen.flatMap(([, numbers]) => Object.keys(numbers)))]
  const columns = names.map((name) => column(seen.map(([, numbers]) => numbers[name])))
  const lines = table(
    ['label', ...names],
    seen.map(([label], i) => [shorten(label, WIDEST), ...columns.map((numbers) => numbers[i]!)]),
  ).map((line) => `  ${line}`)
  return rows.length > seen.length ? [...lines, `  … and ${rows.length - seen.length} more`] : lines
}

function scores(event: EventOf<'evaluation.completed'>, { paint }: Context): string[] {
  const { split, step, examples, seconds } = event
  const names = Object.keys(event.scores)
  const values = table(
    ['score', 'value'],
    names.map((name) => [name, formatNumber(event.scores[name]!.value)]),
  ).map((line) => `  ${line}`)
  const parts = Object.entries(event.scores).filter(([, score]) => Object.keys(score.parts ?? {}).length > 0)
  const head = `${split} at step ${formatCount(step)}: ${formatCount(examples)} examples in ${formatDuration(seconds)}`
  return [
    paint('bold', head),
    ...values,
    ...parts.flatMap(([name, score]) => [`  ${paint('dim', `${name} by label`)}`, ...partsTable(score)]),
  ]
}

const completed: Messages['run.completed'] = ({ because, step, seconds, model }, { progress, columns, paint }) => [
  ...curve(progress.training, progress.validation, columns, paint),
  `${paint('green', because === 'finished' ? 'finished' : `stopped (${because})`)} at step ${formatCount(step)} after ${formatDuration(seconds)}${model === undefined ? '' : `; model: ${model}`}`,
]

const byType: Messages = {
  'run.started': (event, { paint }) => [paint('bold', 'training'), ...facts(event)],
  'run.resumed': (event, { paint }) => [
    paint('bold', `training goes on from step ${formatCount(event.step)}, ${event.checkpoint}`),
    ...facts(event),
  ],
  'evaluation.completed': scores,
  'checkpoint.saved': ({ step, path, bytes, because }, { paint }) => [
    `${paint('dim', 'checkpoint')} of step ${formatCount(step)}, ${formatBytes(bytes)}: ${path} (${because})`,
  ],
  'rows.rejected': ({ split, count, path }, { paint }) => [
    `${paint('yellow', 'rejected')} ${formatCount(count)} ${count === 1 ? 'row' : 'rows'} of ${split}, kept in ${path}`,
  ],
  'texts.truncated': ({ split, count, maximumLength }, { paint }) => [
    `${paint('yellow', 'truncated')} ${formatCount(count)} ${count === 1 ? 'text' : 'texts'} of ${split} to ${formatCount(maximumLength)} tokens`,
  ],
  'vectors.loaded': ({ path, found, tokens }, { paint }) => [
    `${paint('dim', 'word vectors')} for ${formatCount(found)} of ${formatCount(tokens)} tokens: ${path}`,
  ],
  // A save without a label is told of by the checkpoint that comes of it.
  'command.given': ({ step, command }, { paint }) =>
    command.type === 'save' && command.label === undefined
      ? []
      : [`${paint('dim', 'command')} at step ${formatCount(step)}: ${commandWords(command)} (${command.because})`],
  'run.warned': ({ message }, { paint }) => [`${paint('yellow', 'warning')} ${indented(message)}`],
  'run.completed': completed,
}

/** The lines that tell of an event and stay; none for an event that is not worth one, or that is not known. */
export function messages(event: RunEvent, context: Context): string[] {
  const tell = Object.hasOwn(byType, event.type) ? byType[event.type] : undefined
  return (tell as ((event: RunEvent, context: Context) => string[]) | undefined)?.(event, context) ?? []
}
