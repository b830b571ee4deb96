import { resolve } from 'node:path'
import { type RunEvent, TRACKER, type Tracker, definePlugin, stringifyEvent } from '@attune/core'
import { z } from 'zod'
import { type LineFile, appendLines } from './append-lines.js'

/** Returns a function that runs an action and reports its first failure on stderr instead of throwing. */
function forgiving(path: string): (attempt: () => void) => void {
  let reported = false
  return (attempt) => {
    try {
      attempt()
    } catch (error) {
      if (!reported)
        process.stderr.write(
          `tracker jsonl: events are missing from ${path}: ${error instanceof Error ? error.message : String(error)}\n`,
        )
      reported = true
    }
  }
}

/**
 * Writes events, holding them back until the run has reported its directory. Writes nothing if the run writes its own log to the same
 * path.
 */
function logTo(path: string): { next(event: RunEvent): void; end(): void } {
  const attempt = forgiving(path)
  const early: RunEvent[] = []
  let file: LineFile | undefined
  let isKept = false
  const write = (event: RunEvent): void => attempt(() => file?.append(stringifyEvent(event)))
  return {
    next(event) {
      if (file === undefined && (event.type === 'run.started' || event.type === 'run.resumed')) {
        const target = resolve(event.directory ?? '.', path)
        isKept = target === event.log
        if (!isKept) file = appendLines(target)
        early.splice(0).forEach(write)
      }
      if (isKept) return
      if (file === undefined) early.push(event)
      else write(event)
    },
    end: () => attempt(() => file?.close()),
  }
}

/**
 * Appends every event as one line of JSON to a file. Each event is written immediately, in one system call, so a killed process loses
 * no event and leaves no partial line; only a crash of the whole machine may lose the latest. An existing file is appended to; a partial
 * line at its end, left by a full disk or another program, is terminated first.
 *
 * A run with a folder writes such a log itself, as `events.jsonl` there; with the default path, nothing is written twice. Set another
 * `path` for a second copy.
 *
 * `NaN`, `Infinity` and `-Infinity`, which JSON lacks, are written as `{"number":"NaN"}` and so on; `parseEvent` of `@attune/core` reads
 * them back. Events before `run.started` or `run.resumed` are held back until it arrives, since it names the run's directory; a run that
 * fails earlier leaves no file. A disk error does not stop the run: it is reported once on stderr, and writing is retried with the next
 * event.
 */
export const jsonl = definePlugin({
  kind: TRACKER,
  name: 'jsonl',
  summary: 'Appends every event of a run to a JSON Lines file',
  options: z.strictObject({
    path: z
      .string()
      .min(1)
      .default('events.jsonl')
      .meta({ writes: true })
      .describe("File path, relative to the run's directory, or to the working directory if the run has none"),
  }),
  create:
    ({ path }): Tracker =>
    (events) => {
      const log = logTo(path)
      const subscription = events.subscribe({ next: log.next, error: () => undefined })
      subscription.add(log.end)
      return subscription
    },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'tracker jsonl': typeof jsonl
  }
}

export default jsonl
