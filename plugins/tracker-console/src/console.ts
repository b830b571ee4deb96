import { TRACKER, definePlugin } from '@attune/core'
import { z } from 'zod'
import { showOn } from './show.js'

/**
 * Shows a run in the terminal: a line of progress (epoch, step, smoothed loss, learning rate, tokens a second, time
 * left), the scores of every evaluation with a table by label, checkpoints, rejected rows, truncated texts, commands,
 * warnings, and at the end the loss curve. A failure is the error of the run's stream, for its subscriber to show.
 *
 * Everything goes to stderr, so that stdout stays free for results. On a terminal the line of progress is drawn over at
 * most ten times a second; elsewhere lines are plain and come every `everySeconds` and at evaluations. The loss shown is
 * the exponential mean over about a twentieth of the run's steps, at most 50, started without bias; one that is not a
 * finite number is shown as it is. `NO_COLOR` is respected, and time is read off the events.
 *
 * The export is not called `console`, which would hide the global of that name.
 */
export const consoleTracker = definePlugin({
  kind: TRACKER,
  name: 'console',
  summary: 'Progress, scores, tables and the loss curve of a run, in the terminal',
  options: z.strictObject({
    everySeconds: z
      .number()
      .positive()
      .default(5)
      .describe('Seconds between lines of progress where stderr is not a terminal'),
  }),
  create: ({ everySeconds }) => showOn(process.stderr, everySeconds, process.env),
})
export default consoleTracker
