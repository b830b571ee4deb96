import { appendFile } from 'node:fs/promises'
import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { AttuneError, type Chosen, isRecord, pathOptions } from '@attune/core'
import { digest, readJsonObject, readWholeFile, writeFileAtomically } from '@attune/files'

/**
 * An action in a run's record that only the user may allow: executing a program outside of the installation, or writing to a file outside
 * of the run folder.
 */
export interface TrustItem {
  /** Description: `metric ./mine.mjs`. */
  readonly what: string
  readonly path: string
  /** SHA-256 of a program; absent for files that are written. */
  readonly sha256?: string
}

/** Maximum size of a plugin's module. */
const MAXIMUM_PROGRAM = 64 * 1024 * 1024
const MAXIMUM_BYTES = 1_000_000

/**
 * File with the items that this user allowed for a run. It is outside of the run folder, so that write access to the folder does not
 * grant permissions. Runs are identified by their random ids.
 */
const storeOf = (run: string): string =>
  join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'attune', 'trusted', `${run}.json`)

/** Describes the program at a path as an item. @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE` */
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
    `${what}: expected the plugin's file ${path}, got none`,
    'Restore the file, or start another run.',
  )
}

/** Files outside of a run folder that a plugin would write to. */
export const writtenOutside = (chosen: Chosen, directory: string): readonly TrustItem[] =>
  pathOptions(chosen, 'writes').flatMap(([option, path]) => {
    const target = resolve(directory, path)
    const inside = relative(directory, target)
    const isOutside = inside.startsWith('..') || isAbsolute(inside)
    return isOutside ? [{ what: `${chosen.plugin.kind.name} ${chosen.plugin.name}, ${option}`, path: target }] : []
  })

/** Symbolic links in a run folder, through which the run would write or remove files elsewhere. */
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

/** Items that this user has allowed for a run. */
function allowedItems(run: string): readonly TrustItem[] {
  try {
    const { items } = readJsonObject(storeOf(run), MAXIMUM_BYTES, (why) => new Error(why)) ?? {}
    return Array.isArray(items) ? items.filter(isRecord).map((item) => item as unknown as TrustItem) : []
  } catch {
    return [] // an unreadable file allows nothing
  }
}

/** Items that this user has not allowed for the run. */
export function untrusted(run: string, items: readonly TrustItem[]): readonly TrustItem[] {
  if (items.length === 0) return []
  const keys = new Set(allowedItems(run).map(keyOf))
  return items.filter((item) => !keys.has(keyOf(item)))
}

/**
 * Stores that the user allowed items for a run, in addition to earlier ones.
 * @throws AttuneError `CANNOT_WRITE`
 */
export async function allow(run: string, items: readonly TrustItem[]): Promise<void> {
  const fresh = untrusted(run, items)
  if (fresh.length === 0) return
  await writeFileAtomically(storeOf(run), JSON.stringify({ items: [...allowedItems(run), ...fresh] }, null, 2))
}

/** Records allowed items in the run folder, for information only; the record grants no permissions. */
export async function noteTrust(directory: string, items: readonly TrustItem[]): Promise<void> {
  await appendFile(join(directory, 'trusted.jsonl'), `${JSON.stringify({ at: Date.now(), items })}\n`)
}

/** Returns the error `NOT_TRUSTED` with the items that would be executed or written. */
export function notTrusted(directory: string, items: readonly TrustItem[]): AttuneError {
  const lines = items.map(({ what, path, sha256 }) =>
    sha256 === undefined ? `  ${what} writes to ${path}` : `  ${what} runs the program ${path}`,
  )
  return new AttuneError(
    'NOT_TRUSTED',
    `the run in ${directory} uses files outside of this installation that you have not allowed:\n${lines.join('\n')}`,
    'If you trust these files, repeat the command with --trust.',
  )
}
