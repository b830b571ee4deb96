import { type CrossValidationEvent, type FoldScores, crossValidate } from '@attune/study'
import { formatDuration, formatNumber, table } from '@attune/terminal'
import { Command } from 'commander'
import { collect } from '../collect.js'
import { type Display, followRuns } from '../follow-runs.js'
import { type Screen, liveText } from '../live-text.js'
import { type SeveralFlags, openSeveral } from '../open-several.js'

interface CrossValidateFlags extends SeveralFlags {
  readonly json?: boolean
}

type Completed = Extract<CrossValidationEvent, { type: 'crossValidation.completed' }>

const rowsOf = (part: string, scores: Readonly<Record<string, FoldScores>>): string[][] =>
  Object.entries(scores).map(([name, { mean, standardDeviation, values }]) =>
    [`${part}${name}`, mean, standardDeviation, ...values].map((cell) =>
      typeof cell === 'number' ? formatNumber(cell) : cell,
    ),
  )

/** Table of scores over the folds. */
export function foldsText({ scores, test = {}, folds }: Pick<Completed, 'scores' | 'test' | 'folds'>): string {
  const columns = Array.from({ length: folds }, (_, fold) => `fold ${fold}`)
  return table(
    ['score', 'mean', 'standard deviation', ...columns],
    [...rowsOf('', scores), ...rowsOf('test ', test)],
  ).join('\n')
}

/** Prints the events of a cross-validation. */
function showFolds(screen: Screen): Display<CrossValidationEvent> {
  const live = liveText(screen)
  let folds = 0
  const show = (event: CrossValidationEvent): void => {
    if (event.type === 'fold.started') {
      folds = event.folds
      if (screen.isTTY !== true) screen.write(`fold ${event.fold} of ${folds} started\n`)
    }
    if (event.type === 'fold.progressed') {
      const { fold, step, steps, secondsLeft } = event
      const left = secondsLeft * ((folds - fold - 1) * (steps / Math.max(1, steps - step)) + 1)
      live.draw([`fold ${fold} of ${folds}, step ${step} of ${steps}, about ${formatDuration(left)} left`])
    }
    if (event.type !== 'fold.completed') return
    live.clear()
    const values = Object.entries(event.values).map(([name, value]) => `${name} ${formatNumber(value)}`)
    screen.write(`fold ${event.fold} completed after ${formatDuration(event.seconds)}, ${values.join(', ')}\n`)
  }
  return { show, clear: live.clear }
}

/** `attune cross-validate` */
export const crossValidateCommand = (): Command =>
  new Command('cross-validate')
    .summary('train and evaluate a model per fold')
    .description(
      'Trains once per fold of the configured protocol, and prints the mean and standard deviation of every score. The same command resumes an interrupted cross-validation.',
    )
    .argument('<config>', 'configuration file')
    .option('--directory <folder>', 'folder for the folds, instead of the configured one')
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      "\nExamples:\n  npx attune cross-validate config.yaml\n  npx attune cross-validate config.yaml --set 'protocol={ use: k-fold, folds: 10 }'",
    )
    .action(async (target: string, { json = false, ...flags }: CrossValidateFlags) => {
      const { config, options, commands } = await openSeveral(target, flags)
      process.exitCode = await followRuns(
        crossValidate(config, options),
        commands,
        showFolds(process.stderr),
        (event) =>
          event.type === 'crossValidation.completed'
            ? { because: event.because, text: json ? JSON.stringify(event) : foldsText(event) }
            : undefined,
      )
    })
