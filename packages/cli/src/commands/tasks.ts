import { formatNumber, table } from '@attune/terminal'
import { type TaskComparison, compareTasks } from '@attune/trainer/node'
import { Command } from 'commander'
import { collect } from '../collect.js'
import { liveText } from '../live-text.js'
import { openConfig } from '../open-config.js'
import { integerFrom } from '../number-flags.js'

interface TasksFlags {
  readonly set: readonly string[]
  readonly steps: number
  readonly json?: boolean
}

/** Tables of a comparison of tasks, and the groups that it suggests. */
export function tasksText({ tasks, steps, losses, cosines, affinities, overlaps, groups }: TaskComparison): string {
  const matrix = (title: string, rows: readonly (readonly number[])[]): readonly string[] => [
    ...table(
      [title, ...tasks],
      tasks.map((task, i) => [task, ...rows[i]!.map((value) => value.toPrecision(3))]),
    ),
    '',
  ]
  const falls = losses.map(({ first, last }, i) => [
    tasks[i]!,
    formatNumber(first),
    formatNumber(last),
    `${((100 * last) / first).toFixed(0)} %`,
  ])
  const named = groups.map((group) => (group.length > 1 ? group.join(' with ') : `${group[0]!} alone`))
  return [
    ...table(['task', 'first loss', `loss after ${steps} steps`, 'of the first'], falls),
    '',
    ...matrix('cosine of gradients', cosines),
    ...matrix('effect of a step on … on the loss of', affinities),
    ...matrix('common tokens', overlaps),
    `Train together: ${named.join('; ')}.`,
    'Affinities of a short training are small and noisy: compare the groups with runs.',
  ].join('\n')
}

/** The command `attune tasks`. */
export const tasksCommand = (): Command =>
  new Command('tasks')
    .summary('compare the tasks of a multi-task configuration')
    .description(
      'Trains a few steps on all tasks, and shows how alike their gradients and texts are, how fast each learns, and how a step on one changes the loss of the others. Suggests which to train together. Nothing is saved.',
    )
    .argument('<config>', 'configuration file')
    .option('--steps <number>', 'number of steps', integerFrom(1), 20)
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx attune tasks config.yaml --steps 50')
    .action(async (target: string, { set, steps, json = false }: TasksFlags) => {
      const { whole, options } = await openConfig(target, set)
      const live = liveText(process.stderr)
      const progress = (step: number): void => live.draw([`step ${step} of ${steps}`])
      const found = await compareTasks(whole, { ...options, steps, progress }).finally(() => live.clear())
      process.stdout.write(`${json ? JSON.stringify(found) : tasksText(found)}\n`)
    })
