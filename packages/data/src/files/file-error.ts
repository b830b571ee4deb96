import { readdirSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { AttuneError, nearest } from '@attune/core'
import { readRemedy, requireRegularFile } from '@attune/files'

function filesIn(folder: string): string[] | undefined {
  try {
    return readdirSync(folder)
  } catch {
    return undefined
  }
}

function notFound(path: string, cause: unknown): AttuneError {
  const folder = dirname(resolve(path))
  const files = filesIn(folder)
  const near = nearest(basename(path), files ?? [])
  const remedy =
    files === undefined
      ? `There is no folder ${folder}; relative paths count from ${process.cwd()}.`
      : near.length > 0
        ? `Did you mean ${near.join(' or ')}? Searched in ${folder}.`
        : `Searched in ${folder}, which holds ${files.length} other files; relative paths count from ${process.cwd()}.`
  return new AttuneError('FILE_NOT_FOUND', `no file is called "${path}"`, remedy, { cause })
}

const badGzip = (path: string, fault: string, cause: unknown): AttuneError =>
  new AttuneError(
    'BAD_GZIP',
    `a file called .gz must hold whole gzip data, and "${path}" ${fault}`,
    `See what \`gzip --test ${path}\` says, and fetch or make the file again.`,
    { cause },
  )

const unreadable = (path: string, why: string, remedy: string, cause?: unknown): AttuneError =>
  new AttuneError('FILE_NOT_READABLE', `"${path}" must be a file that can be read: ${why}`, remedy, { cause })

/** The error to show for an error of the file system or of gzip; any other error as it is. */
export function fileError(path: string, cause: unknown): unknown {
  const given = (cause as { readonly code?: unknown }).code
  const code = typeof given === 'string' ? given : ''
  if (code === 'ENOENT' || code === 'ENOTDIR') return notFound(path, cause)
  if (code === 'Z_BUF_ERROR') return badGzip(path, 'ends in the middle', cause)
  if (code.startsWith('Z_')) return badGzip(path, `is damaged: ${(cause as Error).message}`, cause)
  if (!code.startsWith('E') || code.startsWith('ERR_')) return cause
  const remedy = readRemedy(cause, `See what it is and to whom it belongs: ls -ld ${path}`)
  return unreadable(path, (cause as Error).message, remedy, cause)
}

/**
 * Refuses what is not a file before it is opened: opening a pipe waits for its writer, and a device or a pipe cannot be read
 * twice.
 * @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE`
 */
export function requireFile(path: string): void {
  try {
    requireRegularFile(path)
  } catch (cause) {
    const fault = fileError(path, cause)
    throw fault === cause ? unreadable(path, (cause as Error).message, 'Name a file; copy a pipe to one first.') : fault
  }
}
