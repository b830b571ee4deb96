import { type Hash, createHash } from 'node:crypto'
import { closeSync, createReadStream, existsSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AttuneError, type RunEvent, parseEvent, stringifyEvent } from '@attune/core'
import { makeFolder, writeFault } from '@attune/files'
import { z } from 'zod'

/** Path of the event log in a run folder. */
export const logPath = (directory: string): string => join(directory, 'events.jsonl')

/**
 * Schema of a run's history up to a checkpoint: the byte ranges of the log that belong to it, from start up to but excluding end, and
 * their SHA-256. There is one range for each time the run was started or resumed; the bytes between two ranges were logged after
 * the checkpoint from which the run was resumed.
 */
export const historySchema = z.strictObject({
  parts: z.array(z.tuple([z.int().min(0), z.int().min(0)])),
  sha256: z.string(),
})

/** A run's history up to a checkpoint, as byte ranges of its log. */
export type History = z.output<typeof historySchema>

/** The empty history of a new run. */
export const NO_HISTORY: History = { parts: [], sha256: createHash('sha256').digest('hex') }

/** Event log of a run: one JSON event per line, appended as events occur. */
export interface RunLog {
  readonly path: string
  /** Appends an event. @throws AttuneError `CANNOT_WRITE` */
  append(event: RunEvent): void
  /** Appends an event outside of the run's history; a resumed run does not replay it. */
  note(event: RunEvent): void
  /** Fsyncs the log and returns the history so far. */
  history(): History
  close(): void
}

const REMEDY = 'Free disk space, then resume from the last checkpoint.'
const NEWLINE = 10

function openAtEnd(path: string): { readonly file: number; readonly size: number } {
  makeFolder(dirname(path))
  const file = openSync(path, 'a+')
  const { size } = fstatSync(file)
  const last = Buffer.alloc(1)
  if (size === 0 || readSync(file, last, 0, 1, size - 1) === 0 || last[0] === NEWLINE) return { file, size }
  writeSync(file, '\n') // ends an incomplete line: the process was killed, or the disk was full
  return { file, size: size + 1 }
}

/**
 * Opens a run's log for appending. Only the digest of the history is kept in memory.
 * @param before history from which the run resumes, and the state of its digest
 * @throws AttuneError `CANNOT_WRITE`
 */
export function openLog(directory: string, before: { readonly history: History; readonly hash: Hash }): RunLog {
  const path = logPath(directory)
  const guarded = <T>(act: () => T): T => {
    try {
      return act()
    } catch (cause) {
      throw writeFault(path, cause, REMEDY)
    }
  }
  const opened = guarded(() => openAtEnd(path))
  const { file } = opened
  const hash = before.hash.copy()
  let [start, end] = [opened.size, opened.size]
  const write = (event: RunEvent): Buffer => {
    const line = Buffer.from(`${stringifyEvent(event)}\n`)
    guarded(() => {
      for (let at = 0; at < line.length;) at += writeSync(file, line, at)
    })
    end += line.length
    return line
  }
  return {
    path,
    append: (event) => void hash.update(write(event)),
    note(event) {
      if (end > start) throw new Error('a note must precede further events of the history')
      write(event)
      start = end
    },
    history() {
      guarded(() => fsyncSync(file))
      const parts = end > start ? [...before.history.parts, [start, end] as [number, number]] : before.history.parts
      return { parts, sha256: hash.copy().digest('hex') }
    },
    close: () => closeSync(file),
  }
}

/** Yields the lines in the given ranges of a log, reading it once. */
async function* linesIn(path: string, parts: History['parts'], hash: Hash): AsyncGenerator<string, void> {
  const [first, last] = [parts[0], parts.at(-1)]
  if (first === undefined || last === undefined) return
  let [at, part, rest] = [first[0], 0, '']
  const decoder = new TextDecoder()
  for await (const chunk of createReadStream(path, { start: at, end: last[1] - 1, highWaterMark: 2 ** 18 })) {
    const bytes = chunk as Buffer
    for (; part < parts.length && parts[part]![0] < at + bytes.length; part++) {
      const [start, end] = parts[part]!
      const kept = bytes.subarray(Math.max(0, start - at), end - at)
      hash.update(kept)
      const lines = (rest + decoder.decode(kept, { stream: true })).split('\n')
      rest = lines.pop() as string
      yield* lines
      if (end > at + bytes.length) break
    }
    at += bytes.length
  }
}

/** True if the ranges of a history are in order, disjoint and not empty. */
const inOrder = (parts: History['parts']): boolean =>
  parts.every(([start, end], i) => start < end && start >= (parts[i - 1]?.[1] ?? 0))

const damaged = (directory: string, why: string, cause?: unknown): AttuneError =>
  new AttuneError(
    'RUN_DAMAGED',
    `${logPath(directory)} is damaged: ${why}`,
    'Restore the file from a backup, or start the run again in another folder.',
    cause === undefined ? undefined : { cause },
  )

/**
 * Verifies that a log contains a run's history unchanged.
 * @returns the digest's state, for {@link openLog}
 * @throws AttuneError `RUN_DAMAGED`
 */
export async function verifyHistory(directory: string, { parts, sha256 }: History): Promise<Hash> {
  const hash = createHash('sha256')
  if (parts.length > 0 && !existsSync(logPath(directory))) throw damaged(directory, 'the file is missing')
  if (!inOrder(parts)) throw damaged(directory, 'the byte ranges in the checkpoint are out of order')
  for await (const line of linesIn(logPath(directory), parts, hash)) void line
  if (hash.copy().digest('hex') === sha256) return hash
  throw damaged(directory, 'its content does not match the digest in the checkpoint')
}

/**
 * Replays a verified history: calls `replay` with every event, in order.
 * @throws AttuneError `RUN_DAMAGED` if a line is not an event
 */
export async function replayHistory(
  directory: string,
  { parts }: History,
  replay: (event: RunEvent) => void,
): Promise<void> {
  for await (const line of linesIn(logPath(directory), parts, createHash('sha256'))) {
    let event: RunEvent
    try {
      event = parseEvent(line)
    } catch (cause) {
      throw damaged(directory, (cause as Error).message, cause)
    }
    replay(event)
  }
}
