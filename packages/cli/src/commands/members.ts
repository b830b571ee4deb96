import { type EnsembleEvent, bag, boost } from '@attune/study'
import { formatCount, formatDuration, formatNumber, table } from '@attune/terminal'
import { Command } from 'commander'
import { collect } from '../collect.js'
import { type Display, followRuns } from '../follow-runs.js'
import { type Screen, liveText } from '../live-text.js'
import { integerFrom } from '../number-flags.js'
import { type SeveralFlags, openSeveral } from '../open-several.js'

interface MembersFlags extends SeveralFlags {
  readonly members: number
  readonly json?: boolean
}

type Completed = Extract<EnsembleEvent, { type: 'ensemble.completed' }>

/** The out-of-bag scores if there are any, and what to do next. */
export function ensembleEndText({ ensemble, members, outOfBag, because, directory }: Completed): string {
  const early = because === 'finished' ? [] : [`Ended early: ${because}.`]
  const next =
    ensemble === undefined
      ? `There is no ensemble of ${members} members. Train a weaker model, or for fewer epochs, in another folder than ${directory}.`
      : `Evaluate the ensemble: npx attune evaluate ${ensemble}`
  if (outOfBag === undefined) return [...early, next].join('\n')
  const { scores, examples, rows } = outOfBag
  return [
    `Out of bag: ${formatCount(examples)} of ${formatCount(rows)} training rows, each predicted by the members that were not trained on it`,
    ...table(
      ['score', 'value'],
      Object.entries(scores).map(([name, value]) => [name, formatNumber(value)]),
    ),
    '',
    next,
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
    const vote = event.weight === undefined ? [] : [`weight ${formatNumber(event.weight)}`]
    const all = [...values, ...vote].join(', ')
    screen.write(`member ${event.member} completed after ${formatDuration(event.seconds)}, ${all}\n`)
  }
  return { show, clear: live.clear }
}

/** A command that trains an ensemble. */
const membersCommand = (name: string, train: typeof bag): Command =>
  new Command(name)
    .argument('<config>', 'configuration of a classifier with data.validation')
    .option('--members <count>', 'number of members', integerFrom(2), 10)
    .option('--directory <folder>', 'folder for the members, instead of the configured one')
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  npx attune ${name} config.yaml --members 5 --directory runs/${name}`)
    .action(async (target: string, { members, json = false, ...flags }: MembersFlags) => {
      const { config, options, commands } = await openSeveral(target, flags)
      const events = train(config, { ...options, members })
      process.exitCode = await followRuns(events, commands, showMembers(process.stderr), (event) =>
        event.type === 'ensemble.completed'
          ? { because: event.because, text: json ? JSON.stringify(event) : ensembleEndText(event) }
          : undefined,
      )
    })

/** `attune bag` */
export const bagCommand = (): Command =>
  membersCommand('bag', bag)
    .summary('train an ensemble on bootstrap samples (bagging)')
    .description(
      'Trains members on bootstrap samples of the training rows, averages their probabilities, and prints the out-of-bag scores: each training row is predicted only by the members that were not trained on it. The same command resumes after an interruption; more members extend a finished ensemble.',
    )

/** `attune boost` */
export const boostCommand = (): Command =>
  membersCommand('boost', boost)
    .summary('train an ensemble on the errors of its members (boosting)')
    .description(
      'Trains members one after another with higher loss weights on the training rows that the members before misclassify (SAMME, AdaBoost for several classes), and combines them by a weighted vote. Ends early after a member without errors, or not better than chance. The same command resumes after an interruption; more members extend a finished ensemble.',
    )
