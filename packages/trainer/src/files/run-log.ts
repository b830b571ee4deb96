import { type Hash, createHash } from 'node:crypto'
import { closeSync, createReadStream, existsSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AttuneError, type RunEvent, parseEvent, stringifyEvent } from '@attune/core'
import { makeFolder, writeFault } from '@attune/files'
import { z } from 'zod'

/** The file of a run's folder that keeps its events. */
export const logPath = (directory: string): string => join(directory, 'events.jsonl')

/**
 * Schema of a run's history up to a checkpoint: the parts of the log that belong to it, by bytes from start to before end, and
 * their SHA-256. There is a part for each time the run was started or resumed; between two parts stands what came after the
 * checkpoint that the run went on from.
 */
export const historySchema = z.strictObject({
  parts: z.array(z.tuple([z.int().min(0), z.int().min(0)])),
  sha256: z.string(),
})

/** A run's history up to a checkpoint, as its place in the log. */
export type History = z.output<typeof historySchema>

/** No history: that of a run that begins. */
export const NO_HISTORY: History = { parts: [], sha256: createHash('sha256').digest('hex') }

/** The log of a run: every event as one line of JSON, appended when it happens. */
export interface RunLog {
  readonly path: string
  /** Appends an event. @throws AttuneError `CANNOT_WRITE` */
  append(event: RunEvent): void
  /** Appends an event that is not part of the run's history: a resumed run does not replay it. */
  note(event: RunEvent): void
  /** The history up to here, durable. */
  history(): History
  close(): void
}

const REMEDY = 'Make room, then resume: the last checkpoint stands.'
const NEWLINE = 10

function openAtEnd(path: string): { readonly file: number; readonly size: number } {
  makeFolder(dirname(path))
  const file = openSync(path, 'a+')
  const { size } = fstatSync(file)
  const last = Buffer.alloc(1)
  if (size === 0 || readSync(file, last, 0, 1, size - 1) === 0 || last[0] === NEWLINE) return { file, size }
  writeSync(file, '\n') // half a line: the process was killed, or the disk was full
  return { file, size: size + 1 }
}

/**
 * Opens a run's log to append to it. Nothing is kept in memory but the digest of what belongs to the history.
 * @param before the history that the run goes on from, and the digest's state after it
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
      if (end > start) throw new Error('a note must come before the history goes on')
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

/** The lines of the parts of a log, which is read once from the first part to the last. */
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

/** True if the parts of a history follow one another and none is empty. */
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
 * Verifies that a log still has a run's history.
 * @returns the digest's state, for {@link openLog}
 * @throws AttuneError `RUN_DAMAGED`
 */
export async function verifyHistory(directory: string, { parts, sha256 }: History): Promise<Hash> {
  const hash = createHash('sha256')
  if (parts.length > 0 && !existsSync(logPath(directory))) throw damaged(directory, 'it is gone')
  if (!inOrder(parts)) throw damaged(directory, 'the checkpoint names parts of it that are out of order')
  for await (const line of linesIn(logPath(directory), parts, hash)) void line
  if (hash.copy().digest('hex') === sha256) return hash
  throw damaged(directory, 'it does not have the digest that the checkpoint recorded')
}

/**
 * Replays a history that was verified: calls `replay` with every event of it, in order.
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
