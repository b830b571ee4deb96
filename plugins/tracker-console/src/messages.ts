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

/** Data that a message may use in addition to its event. */
export interface Context {
  readonly progress: Progress
  readonly columns: number
  readonly paint: Paint
}

type Messages = { readonly [K in keyof RunEvents]?: (event: EventOf<K>, context: Context) => string[] }

/** A command's type and, if it has one, its label: `save best`. */
const commandWords = (command: Command): string =>
  'label' in command && command.label !== undefined ? `${command.type} ${command.label}` : command.type

/** Maximum number of rows of a table, and maximum width of a label in terminal columns. */
const [MAXIMUM_ROWS, MAXIMUM_LABEL_WIDTH] = [30, 40]
const indented = (text: string): string => text.replaceAll('\n', '\n  ')

const facts = (run: RunEvents['run.started']) => [
  `  ${formatCount(run.examples)} examples, ${formatCount(run.epochs)} epochs, ${formatCount(run.steps)} steps, seed ${run.seed}`,
  `  ${formatShort(run.parameters)} parameters, ${formatShort(run.trainableParameters)} of them trained; ${run.engine}`,
  ...(run.directory === undefined ? [] : [`  ${run.directory}`]),
]

/** A titled table with a row per part, which is a label or a task, and a column per number, with at most {@link MAXIMUM_ROWS} rows. */
function partsTable(name: string, { parts = {} }: Score, paint: Paint): string[] {
  const [rows, by] = [Object.entries(parts), name === 'loss' ? 'task' : 'label']
  const seen = rows.slice(0, MAXIMUM_ROWS)
  const names = [...new Set(seen.flatMap(([, numbers]) => Object.keys(numbers)))]
  const columns = names.map((name) => column(seen.map(([, numbers]) => numbers[name])))
  const lines = table(
    [by, ...names],
    seen.map(([label], i) => [shorten(label, MAXIMUM_LABEL_WIDTH), ...columns.map((numbers) => numbers[i]!)]),
  ).map((line) => `  ${line}`)
  const titled = [`  ${paint('dim', `${name} by ${by}`)}`, ...lines]
  return rows.length > seen.length ? [...titled, `  … and ${rows.length - seen.length} more`] : titled
}

function scores({ split, step, examples, seconds, ...event }: EventOf<'evaluation.completed'>, { paint }: Context) {
  const values = table(
    ['score', 'value'],
    Object.entries(event.scores).map(([name, { value }]) => [name, formatNumber(value)]),
  ).map((line) => `  ${line}`)
  const parts = Object.entries(event.scores).filter(([, score]) => Object.keys(score.parts ?? {}).length > 0)
  const head = `${split} at step ${formatCount(step)}: ${formatCount(examples)} examples in ${formatDuration(seconds)}`
  return [paint('bold', head), ...values, ...parts.flatMap(([name, score]) => partsTable(name, score, paint))]
}

/** The step and the scores of the saved weights, if they are not the last ones. */
const saved = ({ step, scores }: NonNullable<EventOf<'run.completed'>['restored']>): string =>
  `saved model: weights of step ${[formatCount(step), ...Object.entries(scores).map(([name, { value }]) => `${name} ${formatNumber(value)}`)].join(', ')}`

const completed: Messages['run.completed'] = (event, { progress, columns, paint }) => [
  ...curve(progress.training, progress.validation, columns, paint),
  ...(event.restored === undefined ? [] : [paint('bold', saved(event.restored))]),
  `${paint('green', event.because === 'finished' ? 'finished' : `stopped (${event.because})`)} at step ${formatCount(event.step)} after ${formatDuration(event.seconds)}${event.model === undefined ? '' : `; model: ${event.model}`}`,
]

const byType: Messages = {
  'stage.made': ({ stage, examplesIn, examplesOut, seconds, reused, path = 'in memory' }, { paint }) => [
    `${paint('dim', stage)} ${formatCount(examplesIn)} → ${formatCount(examplesOut)} examples, ${reused ? 'reused' : formatDuration(seconds)}: ${path}`,
  ],
  'run.started': (event, { paint }) => [paint('bold', 'training'), ...facts(event)],
  'run.resumed': (event, { paint }) => [
    paint('bold', `resuming training at step ${formatCount(event.step)}, ${event.checkpoint}`),
    ...facts(event),
  ],
  'rollout.completed': ({ step, values: { reward = NaN } }) => [`step ${step}: mean reward ${formatNumber(reward)}`],
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
  // A save without a label is reported by the checkpoint that results from it.
  'command.given': ({ step, command }, { paint }) =>
    command.type === 'save' && command.label === undefined
      ? []
      : [`${paint('dim', 'command')} at step ${formatCount(step)}: ${commandWords(command)} (${command.because})`],
  'run.warned': ({ message }, { paint }) => [`${paint('yellow', 'warning')} ${indented(message)}`],
  'run.completed': completed,
}

/** The permanent lines for an event; none for an unknown event or one that is not worth a line. */
export function messages(event: RunEvent, context: Context): string[] {
  const format = Object.hasOwn(byType, event.type) ? byType[event.type] : undefined
  return (format as ((event: RunEvent, context: Context) => string[]) | undefined)?.(event, context) ?? []
}
