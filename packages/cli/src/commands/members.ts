import { type EnsembleEvent, bag } from '@attune/study'
import { formatCount, formatDuration, formatNumber, table } from '@attune/terminal'
import { Command } from 'commander'
import { collect } from '../collect.js'
import { type Display, followRuns } from '../follow-runs.js'
import { type Screen, liveText } from '../live-text.js'
import { integerFrom } from '../number-flags.js'
import { type SeveralFlags, openSeveral } from '../open-several.js'

interface BagFlags extends SeveralFlags {
  readonly members: number
  readonly json?: boolean
}

type Completed = Extract<EnsembleEvent, { type: 'ensemble.completed' }>

/** The out-of-bag scores, and what to do next. */
export function baggingText({ ensemble, members, outOfBag }: Completed): string {
  if (ensemble === undefined || outOfBag === undefined) return `${members} members are trained.`
  const { scores, examples, rows } = outOfBag
  return [
    `Out of bag: ${formatCount(examples)} of ${formatCount(rows)} training rows, each predicted by the members that were not trained on it`,
    ...table(['score', 'value'], Object.entries(scores).map(([name, value]) => [name, formatNumber(value)])), // prettier-ignore
    '',
    `Evaluate the ensemble: npx attune evaluate ${ensemble}`,
  ].join('\n')
}

/** Prints the events of the training of an ensemble. */
function showMembers(screen: Screen): Display<EnsembleEvent> {
  const live = liveText(screen)
  let members = 0
  const show = (event: EnsembleEvent): void => {
    if (event.type === 'member.started') {
      members = event.members
      if (screen.isTTY !== true) screen.write(`member ${event.member} of ${members} started\n`)
    }
    if (event.type === 'member.progressed') {
      const { member, step, steps, secondsLeft } = event
      live.draw([`member ${member} of ${members}, step ${step} of ${steps}, about ${formatDuration(secondsLeft)} left`])
    }
    if (event.type !== 'member.completed') return
    live.clear()
    const values = Object.entries(event.values).map(([name, value]) => `${name} ${formatNumber(value)}`)
    screen.write(`member ${event.member} completed after ${formatDuration(event.seconds)}, ${values.join(', ')}\n`)
  }
  return { show, clear: live.clear }
}

/** `attune bag` */
export const bagCommand = (): Command =>
  new Command('bag')
    .summary('train an ensemble on bootstrap samples (bagging)')
    .description(
      'Trains members on bootstrap samples of the training rows, averages their probabilities, and prints the out-of-bag scores: each training row is predicted only by the members that were not trained on it. The same command resumes after an interruption; more members extend a finished ensemble.',
    )
    .argument('<config>', 'configuration of a classifier with data.validation')
    .option('--members <count>', 'number of members', integerFrom(2), 10)
    .option('--directory <folder>', 'folder for the members, instead of the configured one')
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx attune bag config.yaml --members 5 --directory runs/bagged')
    .action(async (target: string, { members, json = false, ...flags }: BagFlags) => {
      const { config, options, commands } = await openSeveral(target, flags)
      const events = bag(config, { ...options, members })
      process.exitCode = await followRuns(events, commands, showMembers(process.stderr), (event) =>
        event.type === 'ensemble.completed'
          ? { because: event.because, text: json ? JSON.stringify(event) : baggingText(event) }
          : undefined,
      )
    })
