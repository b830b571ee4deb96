import { TRACKER, definePlugin } from '@attune/core'
import { z } from 'zod'
import { showOn } from './show.js'

/**
 * Shows a run in the terminal: a progress line (epoch, step, smoothed loss, learning rate, tokens per second, remaining time), the scores
 * of every evaluation with a table by label, checkpoints, rejected rows, truncated texts, commands, warnings, and at the end the loss
 * curve. A failure is the error of the run's stream, which its subscriber shows.
 *
 * All output goes to stderr, so stdout stays free for results. On a terminal the progress line is redrawn at most ten times a second;
 * elsewhere plain lines are printed every `everySeconds` and at evaluations. The loss shown is the bias-corrected exponential moving average
 * over about a twentieth of the run's steps, at most 50; a loss that is not finite is shown as it is. `NO_COLOR` is respected, and time is
 * taken from the events.
 *
 * The export is not named `console`, which would hide the global of that name.
 */
export const consoleTracker = definePlugin({
  kind: TRACKER,
  name: 'console',
  summary: 'Shows progress, scores, tables and the loss curve of a run in the terminal',
  options: z.strictObject({
    everySeconds: z
      .number()
      .positive()
      .default(5)
      .describe('Seconds between progress lines if stderr is not a terminal'),
  }),
  create: ({ everySeconds }) => showOn(process.stderr, everySeconds, process.env),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'tracker console': typeof consoleTracker
  }
}

export default consoleTracker
