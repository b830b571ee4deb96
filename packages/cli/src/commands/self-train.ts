import { type SelfTrainingEvent, selfTrain } from '@attune/study'
import { formatCount, formatDuration, formatNumber, printable, table } from '@attune/terminal'
import { Command, InvalidArgumentError } from 'commander'
import { collect } from '../collect.js'
import { type Display, followRuns } from '../follow-runs.js'
import { type Screen, liveText } from '../live-text.js'
import { type SeveralFlags, openSeveral } from '../open-several.js'
import { sourceOf } from './evaluate.js'

interface SelfTrainFlags extends SeveralFlags {
  readonly unlabelled: string
  readonly rounds: number
  readonly threshold: number
  readonly balanced?: boolean
  readonly metric?: string
  readonly json?: boolean
  readonly student: readonly string[]
}

type Completed = Extract<SelfTrainingEvent, { type: 'selfTraining.completed' }>

const within =
  (minimum: number, maximum: number, isInteger: boolean) =>
  (value: string): number => {
    const number = Number(value)
    if (value.trim() !== '' && number >= minimum && number <= maximum && (!isInteger || Number.isInteger(number)))
      return number
    throw new InvalidArgumentError(`Expected ${isInteger ? 'an integer' : 'a number'} from ${minimum} to ${maximum}.`)
  }

/** The scores of the rounds, the best one marked, and what to do next. */
export function roundsText({
  scores,
  metric,
  best,
  directory,
}: Pick<Completed, 'scores' | 'metric' | 'best' | 'directory'>): string {
  const rows = scores.map((score, round) => [String(round), formatNumber(score), round === best ? '← best' : ''])
  const run = `${directory}/rounds/${String(best)}`
  return [...table(['round', `validation ${metric}`, ''], rows), '', `Evaluate the best round: npx attune evaluate ${run}`].join('\n') // prettier-ignore
}

/** Prints the events of self-training. */
function showRounds(screen: Screen): Display<SelfTrainingEvent> {
  const live = liveText(screen)
  const line = (text: string): void => {
    live.clear()
    screen.write(`${printable(text)}\n`)
  }
  const show = (event: SelfTrainingEvent): void => {
    if (event.type === 'round.started') line(`round ${event.round} of ${event.rounds} started`)
    if (event.type === 'pseudoLabels.assigned') {
      const { round, unlabelled, rejected, byLabel } = event
      const chosen = Object.values(byLabel).reduce((sum, count) => sum + count, 0)
      const each = Object.entries(byLabel).map(([label, count]) => `${label} ${formatCount(count)}`)
      const failed = rejected > 0 ? `, ${formatCount(rejected)} could not be predicted` : ''
      line(`round ${round}: ${formatCount(chosen)} of ${formatCount(unlabelled)} rows labelled${failed}: ${each.join(', ')}`) // prettier-ignore
    }
    if (event.type === 'round.progressed') {
      const { round, step, steps, secondsLeft } = event
      live.draw([`round ${round}, step ${step} of ${steps}, about ${formatDuration(secondsLeft)} left`])
    }
    if (event.type === 'selfTraining.completed' && event.because !== 'finished') line(`stopped: ${event.because}`)
    if (event.type !== 'round.completed') return
    const values = Object.entries(event.values).map(([name, value]) => `${name} ${formatNumber(value)}`)
    line(`round ${event.round} completed after ${formatDuration(event.seconds)}, ${values.join(', ')}`)
  }
  return { show, clear: live.clear }
}

async function selfTrainFrom(target: string, flags: SelfTrainFlags): Promise<void> {
  const { rounds, threshold, balanced = false, metric } = flags
  const { config, options, commands } = await openSeveral(target, flags)
  const events = selfTrain(config, {
    ...options,
    rounds,
    threshold,
    balanced,
    metric,
    student: (await openSeveral(target, { ...flags, set: [...flags.set, ...flags.student] })).config,
    unlabelled: await sourceOf(flags.unlabelled),
  })
  process.exitCode = await followRuns(events, commands, showRounds(process.stderr), (event) =>
    event.type === 'selfTraining.completed'
      ? { because: event.because, text: flags.json === true ? JSON.stringify(event) : roundsText(event) }
      : undefined,
  )
}

/** `attune self-train` */
export const selfTrainCommand = (): Command =>
  new Command('self-train')
    .summary('train on unlabelled rows that the model labels (self-training)')
    .description(
      'Trains a classifier on its labelled rows, labels unlabelled rows where it is confident, trains a new one on both, and repeats that. Names the round with the best validation score. The same command resumes an interrupted self-training; more rounds continue a finished one.',
    )
    .argument('<config>', 'configuration of a classifier with data.validation')
    .requiredOption('--unlabelled <file>', 'unlabelled rows: .jsonl, .csv or .tsv, optionally gzipped')
    .option('--rounds <count>', 'rounds after the first model', within(1, 100, true), 1)
    .option('--threshold <probability>', 'minimum probability of a label that trains', within(0, 1, false), 0.9)
    .option('--balanced', 'choose the same fraction of the predictions of each label')
    .option('--metric <name>', 'validation score that ranks the rounds; default: the first metric, otherwise loss')
    .option('--directory <folder>', 'folder for the rounds, instead of the configured one')
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--student <key.path=value>', 'set a value of the rounds after the first model; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  npx attune self-train config.yaml --unlabelled more.jsonl
  npx attune self-train config.yaml --unlabelled more.jsonl --rounds 3 --threshold 0.8 --balanced --metric macro-f1
  npx attune self-train config.yaml --unlabelled more.jsonl --student training.epochs=2`,
    )
    .action(selfTrainFrom)
