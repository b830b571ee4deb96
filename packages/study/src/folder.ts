import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type RunEvent, isPlugin, isRecord, parseEvent, stringifyEvent } from '@attune/core'
import {
  type Lock,
  digest,
  readJsonObject,
  readWholeFile,
  takeLock,
  writeFault,
  writeFileAtomically,
} from '@attune/files'

/** An open folder of several runs, locked by this process. */
export interface Folder {
  readonly directory: string
  /** Events logged by earlier sessions. */
  readonly events: readonly RunEvent[]
  /** Appends an event to the log and fsyncs it. @throws AttuneError `CANNOT_WRITE` */
  append(event: RunEvent): void
  close(): Promise<void>
}

/** File names by kind of folder. */
const FILES = {
  study: { settings: 'study.json', log: 'trials.jsonl', lock: 'study.lock' },
  'cross-validation': { settings: 'cross-validation.json', log: 'folds.jsonl', lock: 'cross-validation.lock' },
  bagging: { settings: 'bagging.json', log: 'members.jsonl', lock: 'bagging.lock' },
  boosting: { settings: 'boosting.json', log: 'members.jsonl', lock: 'boosting.lock' },
  'self-training': { settings: 'self-training.json', log: 'rounds.jsonl', lock: 'self-training.lock' },
} as const

type FolderKind = keyof typeof FILES

const MAXIMUM_BYTES = 256 * 1024 * 1024
const NEWLINE = 10

const damaged = (path: string, why: string): AttuneError =>
  new AttuneError(
    'STUDY_DAMAGED',
    `${path} is damaged: ${why}`,
    'Restore the file from a backup, or use another folder.',
  )

/** Settings as JSON; plugins passed as objects are replaced by their names. */
const plain = (settings: object): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(settings, (_, value: unknown) => (isPlugin(value) ? `plugin ${value.name}` : value)),
  ) as Record<string, unknown>

/** Paths at which two values differ. */
function differences(a: unknown, b: unknown, path: string): string[] {
  if (!isRecord(a) || !isRecord(b)) return JSON.stringify(a) === JSON.stringify(b) ? [] : [path]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
    differences(a[key], b[key], path === '' ? key : `${path}.${key}`),
  )
}

/** Reads the settings of a folder and verifies their digest. Undefined if there are none. */
function readSettings(path: string): unknown {
  const record = readJsonObject(path, MAXIMUM_BYTES, (why) => damaged(path, why))
  if (record === undefined) return undefined
  const { seal, ...content } = record
  if (seal !== digest(JSON.stringify(content))) throw damaged(path, 'its content does not match its recorded digest')
  return content['settings']
}

/** @throws AttuneError `STUDY_CHANGED`, `STUDY_EXISTS` */
async function sealSettings(
  directory: string,
  what: FolderKind,
  settings: object,
  free: readonly string[],
): Promise<void> {
  const path = join(directory, FILES[what].settings)
  const [known, now] = [readSettings(path), plain(settings)]
  if (known !== undefined) {
    const changes = differences(known, now, '').filter((each) => !free.includes(each))
    if (changes.length === 0) return
    throw new AttuneError(
      'STUDY_CHANGED',
      `the ${what} in ${directory} was started with a different configuration: ${changes.slice(0, 10).join(', ')} differ${changes.length === 1 ? 's' : ''}`,
      'Resume with the original configuration, or use another folder.',
    )
  }
  if (readdirSync(directory).some((name) => name !== FILES[what].lock))
    throw new AttuneError(
      'STUDY_EXISTS',
      `${directory} is not empty and holds no ${what}`,
      'Use an empty or new folder.',
    )
  const content = { format: 1, settings: now }
  await writeFileAtomically(path, `${JSON.stringify({ ...content, seal: digest(JSON.stringify(content)) }, null, 2)}\n`)
}

/** Events of a log up to its last complete line, and the size of these lines in bytes. */
function readLog(path: string): { readonly events: readonly RunEvent[]; readonly bytes: number } {
  const content = readWholeFile(path, MAXIMUM_BYTES) ?? Buffer.alloc(0)
  const bytes = content.lastIndexOf(NEWLINE) + 1
  const lines = content.toString('utf8', 0, bytes).split('\n').slice(0, -1)
  const events = lines.map((line, i) => {
    try {
      return parseEvent(line)
    } catch (error) {
      throw damaged(path, `line ${i + 1}: ${(error as Error).message}`)
    }
  })
  return { events, bytes }
}

function openLog(path: string): Pick<Folder, 'events' | 'append'> & { readonly close: () => void } {
  const guarded = <T>(act: () => T): T => {
    try {
      return act()
    } catch (cause) {
      throw writeFault(path, cause, 'Free disk space, then run the same command again to resume.')
    }
  }
  const { events, bytes } = readLog(path)
  const file = guarded(() => openSync(path, 'a'))
  guarded(() => ftruncateSync(file, bytes)) // drops an incomplete last line: the process was killed, or the disk was full
  return {
    events,
    append: (event) =>
      guarded(() => {
        const line = Buffer.from(`${stringifyEvent(event)}\n`)
        for (let at = 0; at < line.length;) at += writeSync(file, line, at)
        fsyncSync(file)
      }),
    close: () => closeSync(file),
  }
}

async function lockFolder(directory: string, what: FolderKind): Promise<Lock> {
  const taken = await takeLock(join(directory, FILES[what].lock)).catch((cause: unknown) => {
    throw writeFault(directory, cause, 'Choose a folder that this user may write to.')
  })
  if ('release' in taken) return taken
  throw new AttuneError(
    'STUDY_IN_USE',
    `process ${taken.process} on ${taken.host} is using the ${what} in ${directory}`,
    'Wait until it ends, or stop it.',
  )
}

/**
 * Opens the folder of a study, a cross-validation, self-training, bagging or boosting, creating it if necessary, and takes its lock.
 * @param free paths of the settings that may change between sessions
 * @throws AttuneError `STUDY_IN_USE`, `STUDY_CHANGED`, `STUDY_EXISTS`, `STUDY_DAMAGED`, `CANNOT_WRITE`
 */
export async function openFolder(
  directory: string,
  what: FolderKind,
  settings: object,
  free: readonly string[],
): Promise<Folder> {
  const lock = await lockFolder(directory, what)
  try {
    await sealSettings(directory, what, settings, free)
    const { close, ...log } = openLog(join(directory, FILES[what].log))
    const release = async (): Promise<void> => {
      close()
      await lock.release()
    }
    return { directory, ...log, close: release }
  } catch (error) {
    await lock.release()
    throw error
  }
}
