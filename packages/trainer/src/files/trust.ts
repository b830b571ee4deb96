import { appendFile } from 'node:fs/promises'
import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { AttuneError, type Chosen, isRecord, pathOptions } from '@attune/core'
import { digest, readJsonObject, readWholeFile, writeFileAtomically } from '@attune/files'

/**
 * Something that a run's record asks for and that only the user may allow: a program that is not of the installation, or a file
 * outside of the run's folder that is written to.
 */
export interface TrustItem {
  /** In words: `metric ./mine.mjs`. */
  readonly what: string
  readonly path: string
  /** SHA-256 of a program; absent for files that are written. */
  readonly sha256?: string
}

/** Size of a plugin's module; larger ones are not plugins. */
const MAXIMUM_PROGRAM = 64 * 1024 * 1024
const MAXIMUM_BYTES = 1_000_000

/**
 * The file that keeps what this user allowed a run, outside of the run's folder: whoever writes a run's folder must not be able to
 * allow themselves anything. Runs are known by their ids, which are random.
 */
const storeOf = (run: string): string =>
  join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'attune', 'trusted', `${run}.json`)

/** The program at a path, as an item. @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE` */
export function programAt(what: string, path: string): TrustItem {
  let content: Buffer | undefined
  try {
    content = readWholeFile(path, MAXIMUM_PROGRAM)
  } catch (cause) {
    throw new AttuneError(
      'FILE_NOT_READABLE',
      `${what}: ${path} cannot be read: ${(cause as Error).message}`,
      'Check that it is a file that you may read.',
      { cause },
    )
  }
  if (content !== undefined) return { what, path, sha256: digest(content) }
  throw new AttuneError(
    'FILE_NOT_FOUND',
    `${what}: there is no file ${path} any more`,
    'Put the plugin back, or start another run.',
  )
}

/** Files outside of a run's folder that a plugin would write to. */
export const writtenOutside = (chosen: Chosen, directory: string): readonly TrustItem[] =>
  pathOptions(chosen, 'writes').flatMap(([option, path]) => {
    const target = resolve(directory, path)
    const inside = relative(directory, target)
    const isOutside = inside.startsWith('..') || isAbsolute(inside)
    return isOutside ? [{ what: `${chosen.plugin.kind.name} ${chosen.plugin.name}, ${option}`, path: target }] : []
  })

/** Symbolic links in a run's folder: what the run writes there, or removes, would be elsewhere. */
export const linksIn = (directory: string): readonly TrustItem[] =>
  ['', 'checkpoints', 'rejects'].flatMap((folder) => {
    const at = join(directory, folder)
    if (lstatSync(at, { throwIfNoEntry: false })?.isDirectory() !== true) return []
    return readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
      if (!entry.isSymbolicLink()) return []
      const name = join(folder, entry.name)
      return [{ what: `the symbolic link ${name}`, path: resolve(at, readlinkSync(join(at, entry.name))) }]
    })
  })

const keyOf = ({ path, sha256 = 'written' }: TrustItem): string => `${sha256} ${path}`

/** What this user allowed a run so far. */
function allowedItems(run: string): readonly TrustItem[] {
  try {
    const { items } = readJsonObject(storeOf(run), MAXIMUM_BYTES, (why) => new Error(why)) ?? {}
    return Array.isArray(items) ? items.filter(isRecord).map((item) => item as unknown as TrustItem) : []
  } catch {
    return [] // what cannot be read allows nothing
  }
}

/** The items that this user has not allowed to the run before. */
export function untrusted(run: string, items: readonly TrustItem[]): readonly TrustItem[] {
  if (items.length === 0) return []
  const keys = new Set(allowedItems(run).map(keyOf))
  return items.filter((item) => !keys.has(keyOf(item)))
}

/**
 * Keeps that the user allowed items to a run, besides those allowed before.
 * @throws AttuneError `CANNOT_WRITE`
 */
export async function allow(run: string, items: readonly TrustItem[]): Promise<void> {
  const fresh = untrusted(run, items)
  if (fresh.length === 0) return
  await writeFileAtomically(storeOf(run), JSON.stringify({ items: [...allowedItems(run), ...fresh] }, null, 2))
}

/** Notes in a run's folder what the user allowed it. The note is for people: nothing is allowed because of it. */
export async function noteTrust(directory: string, items: readonly TrustItem[]): Promise<void> {
  await appendFile(join(directory, 'trusted.jsonl'), `${JSON.stringify({ at: Date.now(), items })}\n`)
}

/** The error `NOT_TRUSTED`, which lists what would be run or written. */
export function notTrusted(directory: string, items: readonly TrustItem[]): AttuneError {
  const lines = items.map(({ what, path, sha256 }) =>
    sha256 === undefined ? `  ${what} writes to ${path}` : `  ${what} runs the program ${path}`,
  )
  return new AttuneError(
    'NOT_TRUSTED',
    `the record in ${directory} asks for what is not of this installation, and nothing shows that you asked for it here:\n${lines.join('\n')}`,
    'If you trust these files, repeat the command with --trust.',
  )
}
