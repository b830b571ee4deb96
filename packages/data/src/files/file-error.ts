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
      ? `There is no folder ${folder}; relative paths start at ${process.cwd()}.`
      : near.length > 0
        ? `Did you mean ${near.join(' or ')}? Searched in ${folder}.`
        : `Searched in ${folder}, which contains ${files.length} other files; relative paths start at ${process.cwd()}.`
  return new AttuneError('FILE_NOT_FOUND', `file "${path}" does not exist`, remedy, { cause })
}

const badGzip = (path: string, fault: string, cause: unknown): AttuneError =>
  new AttuneError(
    'BAD_GZIP',
    `expected complete gzip data in a .gz file, but "${path}" ${fault}`,
    `Check the file with \`gzip --test ${path}\`, then download or create it again.`,
    { cause },
  )

const unreadable = (path: string, why: string, remedy: string, cause?: unknown): AttuneError =>
  new AttuneError('FILE_NOT_READABLE', `expected a readable file, got "${path}": ${why}`, remedy, { cause })

/** Converts an error of the file system or of gzip into an AttuneError; returns any other error unchanged. */
export function fileError(path: string, cause: unknown): unknown {
  const raw = (cause as { readonly code?: unknown }).code
  const code = typeof raw === 'string' ? raw : ''
  if (code === 'ENOENT' || code === 'ENOTDIR') return notFound(path, cause)
  if (code === 'Z_BUF_ERROR') return badGzip(path, 'is truncated', cause)
  if (code.startsWith('Z_')) return badGzip(path, `is corrupt: ${(cause as Error).message}`, cause)
  if (!code.startsWith('E') || code.startsWith('ERR_')) return cause
  const remedy = readRemedy(cause, `Check its type, owner and permissions: ls -ld ${path}`)
  return unreadable(path, (cause as Error).message, remedy, cause)
}

/**
 * Throws unless a path is a regular file, before opening it: opening a pipe would wait for its writer, and a device or pipe cannot
 * be read twice.
 * @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE`
 */
export function requireFile(path: string): void {
  try {
    requireRegularFile(path)
  } catch (cause) {
    const fault = fileError(path, cause)
    throw fault === cause
      ? unreadable(path, (cause as Error).message, 'Pass a regular file; copy the content of a pipe to a file first.')
      : fault
  }
}
