import { formatNumber, table } from '@attune/terminal'
import { type TaskComparison, compareTasks } from '@attune/trainer/node'
import { Command } from 'commander'
import { collect } from '../collect.js'
import { liveText } from '../live-text.js'
import { openConfig } from '../open-config.js'
import { integerFrom } from '../number-flags.js'
import { taskMatrix } from '../task-report-text.js'

interface TasksFlags {
  readonly set: readonly string[]
  readonly steps: number
  readonly json?: boolean
}

/** Table of how difficult each task is: the fall of its loss, and its score next to that of a constant prediction. */
function difficultyTable(
  tasks: readonly string[],
  steps: number,
  { losses, skills }: Pick<TaskComparison, 'losses' | 'skills'>,
): string[] {
  const rows = losses.map(({ first, last }, i) => {
    const { score = '', constant, trained, skill } = skills[i] ?? {}
    const shown = (value: number | undefined): string => (value === undefined ? '' : formatNumber(value))
    const fall = [formatNumber(first), formatNumber(last), `${((100 * last) / first).toFixed(0)} %`]
    return [tasks[i]!, ...fall, score, shown(constant), shown(trained), skill?.toFixed(2) ?? '']
  })
  const after = `after ${steps} steps`
  return table(['task', 'first loss', `loss ${after}`, 'of the first', 'score', 'constant', after, 'skill'], rows)
}

/** Tables of a comparison of tasks, and the groups that it suggests. */
export function tasksText({ tasks, steps, losses, skills, groups, ...matrices }: TaskComparison): string {
  const matrix = (title: string, rows: readonly (readonly (number | null)[])[]): readonly string[] => [
    ...taskMatrix(
      title,
      tasks,
      rows.map((row) => row.map((value) => value?.toPrecision(3) ?? '')),
    ),
    '',
  ]
  const { dependences, affinities } = matrices
  const isDependent = dependences.some((row, i) => row.some((value, j) => i !== j && value !== null))
  const named = groups.map((group) => (group.length > 1 ? group.join(' with ') : `${group[0]!} alone`))
  return [
    ...difficultyTable(tasks, steps, { losses, skills }),
    '',
    ...matrix('cosine of gradients', matrices.cosines),
    ...matrix('effect of a step on … on the loss of', affinities),
    ...matrix('common tokens', matrices.overlaps),
    ...(isDependent ? matrix('dependence of labels', dependences) : ['No text is labelled by two tasks.', '']),
    `Train together: ${named.join('; ')}.`,
    'Affinities of a short training are small and noisy: compare the groups with runs.',
  ].join('\n')
}

/** The command `attune tasks`. */
export const tasksCommand = (): Command =>
  new Command('tasks')
    .summary('compare the tasks of a multi-task configuration')
    .description(
      'Trains a few steps on all tasks, and shows how difficult each is (its loss, and its score next to that of a constant prediction), how alike their gradients, texts and labels are, and how a step on one changes the loss of the others. Suggests which to train together. Nothing is saved.',
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
