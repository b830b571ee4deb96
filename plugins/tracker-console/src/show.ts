import type { EventOf, RunEvent, Tracker } from '@attune/core'
import { printable } from '@attune/text'
import { messages } from './messages.js'
import { NOTHING, fitLine, follow, progressLine } from './progress.js'
import { type Terminal, isLive, liveScreen, painter, plainScreen, widthOf } from './terminal.js'

const REDRAW_MILLISECONDS = 100
/** Events after which the line of progress says something new. */
const BETWEEN_STEPS = new Set(['evaluation.started', 'evaluation.completed', 'training.completed'])

/**
 * Shows a run on a terminal: one line of progress that is drawn over, at most ten times a second, or, where lines cannot
 * be drawn over, a line every `everySeconds`; and all that is worth a line of its own. Time is that of the events.
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

    const draw = ({ at, type }: RunEvent): void => {
      const between = BETWEEN_STEPS.has(type) && progress.steps > 0
      const due = type === 'step.completed' ? at - drawn.at >= pause : between && (live || progress.step !== drawn.step)
      if (!due) return
      drawn = { at, step: progress.step }
      screen.show(progressLine(progress, live ? widthOf(terminal) : Infinity, live))
    }
    const drawFit = (event: EventOf<'fit.progressed'>): void => {
      if (event.at - drawn.at < pause) return
      drawn = { at: event.at, step: -1 }
      screen.show(fitLine(printable(event), live ? widthOf(terminal) : Infinity))
    }
    const next = (event: RunEvent): void => {
      progress = follow(progress, event)
      const lines =
        event.type === 'step.completed'
          ? []
          : messages(printable(event), { progress, columns: widthOf(terminal), paint })
      if (event.type === 'fit.progressed') drawFit(event)
      else draw(event)
      // What was learned before the run is told of no longer.
      if (event.type === 'run.started') {
        screen.close()
        drawn = { at: -Infinity, step: -1 }
      }
      if (event.type === 'run.completed' || event.type === 'run.failed') screen.close()
      if (lines.length > 0) screen.print(lines)
    }

    const subscription = events.subscribe({ next, error: () => undefined })
    subscription.add(screen.close)
    return subscription
  }
