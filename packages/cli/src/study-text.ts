import type { Choice, Goal, Trial } from '@attune/core'
import { valueOf } from '@attune/study'
import { formatDuration, formatNumber, table } from '@attune/terminal'

/** The position of a running trial. */
export interface Position {
  readonly step: number
  readonly steps: number
  readonly secondsLeft: number
}

const shownValue = (value: Choice[string] | undefined): string =>
  value === undefined ? '' : typeof value === 'number' ? formatNumber(value) : String(value)

const stateOf = ({ id, state }: Trial, positions: ReadonlyMap<number, Position>): string => {
  const at = positions.get(id)
  return state === 'running' && at !== undefined ? `step ${at.step} of ${at.steps}` : state
}

const timeOf = ({ id, state, seconds }: Trial, positions: ReadonlyMap<number, Position>): string => {
  const left = positions.get(id)?.secondsLeft
  return state !== 'running' ? formatDuration(seconds) : left === undefined ? '' : `${formatDuration(left)} left`
}

/** Table of trials: state, last scores, choice, and elapsed or remaining time. */
export function trialsTable(
  trials: readonly Trial[],
  goals: readonly Goal[],
  positions: ReadonlyMap<number, Position> = new Map(),
): readonly string[] {
  const paths = [...new Set(trials.flatMap(({ choice }) => Object.keys(choice)))]
  const rows = trials.map((trial) => [
    String(trial.id),
    stateOf(trial, positions),
    ...goals.map((goal) => shownValue(valueOf(trial, goal))),
    ...paths.map((path) => shownValue(trial.choice[path])),
    timeOf(trial, positions),
  ])
  return table(['trial', 'state', ...goals.map(({ score }) => score), ...paths, 'time'], rows)
}

/** Number of finished trials, and the estimated time of the remaining ones. */
export function progressLine(trials: readonly Trial[], count: number, parallel: number): string {
  const over = trials.filter(({ state }) => state !== 'running')
  const mean = over.reduce((sum, { seconds }) => sum + seconds, 0) / over.length
  const left =
    over.length === 0 ? '' : `, about ${formatDuration((mean * Math.max(0, count - over.length)) / parallel)} left`
  return `${over.length} of ${count} trials${left}`
}

/** An argument quoted for a shell. */
const quoted = (argument: string): string =>
  /^[\w./=:@+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`

/** The command line of words. */
export const commandLine = (words: readonly string[]): string => words.map(quoted).join(' ')

const isPlain = (value: string): boolean => /^[A-Za-z][\w./-]*$/.test(value) && !/^(true|false|null)$/i.test(value)

/** The command line that trains with a trial's choice. */
export const trainLine = (config: string, choice: Choice, directory: string): string =>
  commandLine([
    ...['npx', 'attune', 'train', config],
    ...Object.entries(choice).flatMap(([path, value]) => [
      '--set',
      `${path}=${typeof value === 'string' && !isPlain(value) ? JSON.stringify(value) : value}`,
    ]),
    ...['--directory', directory],
  ])
