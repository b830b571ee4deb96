import { resolve } from 'node:path'
import { type RunEvent, TRACKER, type Tracker, definePlugin } from '@attune/core'
import { z } from 'zod'
import { type LineFile, appendLines } from './append-lines.js'

/** JSON has no NaN and no infinities; they are written as the words that JavaScript spells them with. */
const legible = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value

/** Does something that may fail without harm to the run, and says on stderr the first time that it failed. */
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

/** Writes events, and holds them back until the run has said where it keeps its files. */
function logTo(path: string): { next(event: RunEvent): void; end(): void } {
  const attempt = forgiving(path)
  const early: RunEvent[] = []
  let file: LineFile | undefined
  const write = (event: RunEvent): void => attempt(() => file?.append(JSON.stringify(event, legible)))
  return {
    next(event) {
      if (file === undefined && (event.type === 'run.started' || event.type === 'run.resumed')) {
        file = appendLines(resolve(event.directory ?? '.', path))
        early.splice(0).forEach(write)
      }
      if (file === undefined) early.push(event)
      else write(event)
    },
    end: () => attempt(() => file?.close()),
  }
}

/**
 * Appends every event as one line of JSON to a file. Each event is written when it comes, in one call to the operating
 * system, so a killed process loses none and leaves no half line; only a crash of the whole machine may lose the latest.
 * A file that exists is added to; half a line at its end, left by a full disk or another program, is ended first.
 *
 * `NaN`, `Infinity` and `-Infinity`, which JSON lacks, are written as the strings `"NaN"`, `"Infinity"`, `"-Infinity"`;
 * `Number(value)` reads them back. Events before `run.started` or `run.resumed` wait for it, since it names the run's
 * directory; a run that fails earlier leaves no file. Trouble with the disk does not stop the run: it is reported once
 * on stderr, and writing is tried again with the next event.
 */
export const jsonl = definePlugin({
  kind: TRACKER,
  name: 'jsonl',
  summary: 'Appends every event of a run as one line of JSON to a file',
  options: z.strictObject({
    path: z
      .string()
      .min(1)
      .default('events.jsonl')
      .describe("The file; relative to the run's directory, or to the working directory if the run has none"),
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
export default jsonl
