import { formatNumber, table } from '@attune/terminal'
import type { TaskReport } from '@attune/trainer/node'

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
const correlation = (value: number): string => (Number.isNaN(value) ? '' : value.toFixed(2))

/** A matrix with a row and a column for each task. */
export const taskMatrix = (title: string, tasks: readonly string[], cells: readonly (readonly string[])[]): string[] =>
  table(
    [title, ...tasks],
    tasks.map((task, i) => [task, ...cells[i]!]),
  )

/** The overall score with its definition. */
const overallLine = ({ overall }: TaskReport): string => {
  if (overall === undefined) return 'no overall score: the scores of the tasks have different ranges'
  return overall.name === 'deltaM'
    ? `overall: Δm ${percent(overall.value)}, mean relative difference to the single-task models`
    : `overall: ${overall.value.toFixed(4)}, mean of the scores`
}

/** A report on the tasks of a multi-task model as tables: scores, overall score, correlations. */
export function taskReportText(report: TaskReport): string {
  const { tasks, correlations } = report
  const names = tasks.map(({ task }) => task)
  const compared = tasks.some(({ single }) => single !== undefined)
  const scores = tasks.map(({ task, score, value, loss, single, difference }) => [
    ...[task, score, formatNumber(value), formatNumber(loss)],
    ...(single === undefined || difference === undefined ? [] : [formatNumber(single), percent(difference)]),
  ])
  return [
    ...table(['task', 'score', 'value', 'loss', ...(compared ? ['single-task', 'difference'] : [])], scores),
    '',
    overallLine(report),
    '',
    ...(correlations === undefined
      ? ['no correlation of the tasks: it takes four evaluations or more (`training.evaluateEvery`)']
      : taskMatrix(
          `correlation of ${correlations.changes} changes in score`,
          names,
          correlations.values.map((row) => row.map(correlation)),
        )),
  ].join('\n')
}
