import type { RunEvent, Tracker } from '@attune/core'
import { formatProgress, printable } from '@attune/terminal'
import { messages } from './messages.js'
import { NOTHING, follow, progressLine } from './progress.js'
import { type Terminal, isLive, liveScreen, painter, plainScreen, widthOf } from './terminal.js'

const REDRAW_MILLISECONDS = 100
/** Events other than steps after which the progress line changes. */
const BETWEEN_STEPS = new Set(['evaluation.started', 'evaluation.completed', 'training.completed'])

/**
 * Shows a run on a terminal: one progress line that is redrawn at most ten times a second or, where lines cannot be redrawn, a line every
 * `everySeconds`; and the permanent lines of events. Time is taken from the events.
 */
export const showOn =
  (terminal: Terminal, everySeconds: number, environment: NodeJS.ProcessEnv): Tracker =>
  (events) => {
    const live = isLive(terminal, environment)
    const screen = live ? liveScreen(terminal) : plainScreen(terminal)
    const paint = painter(terminal, environment)
    const pause = live ? REDRAW_MILLISECONDS : 1000 * everySeconds
    let progress = NOTHING
    let drawn = { at: -Infinity, step: -1 }

    const draw = (event: RunEvent): void => {
      const { at, type } = event
      const between = BETWEEN_STEPS.has(type) && progress.steps > 0
      const paced = type === 'step.completed' || type === 'fit.progressed'
      if (!(paced ? at - drawn.at >= pause : between && (live || progress.step !== drawn.step))) return
      drawn = { at, step: progress.step }
      const columns = live ? widthOf(terminal) : Infinity
      const learning = type === 'fit.progressed' ? formatProgress(printable(event)).slice(0, columns - 1) : undefined
      screen.show(learning ?? progressLine(progress, columns, live))
    }
    const next = (event: RunEvent): void => {
      progress = follow(progress, event)
      const lines =
        event.type === 'step.completed'
          ? []
          : messages(printable(event), { progress, columns: widthOf(terminal), paint })
      draw(event)
      if (['run.started', 'run.completed', 'run.failed'].includes(event.type)) screen.close()
      if (lines.length > 0) screen.print(lines)
    }

    const subscription = events.subscribe({ next, error: () => undefined })
    subscription.add(screen.close)
    return subscription
  }
