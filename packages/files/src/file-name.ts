import { AttuneError } from '@attune/core'

/**
 * Throws for a name that leads outside its folder.
 * @throws AttuneError `BAD_FILE_NAME`
 */
export function requireFileName(name: string): void {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)) return
  throw new AttuneError(
    'BAD_FILE_NAME',
    `expected a file name, got ${JSON.stringify(name.slice(0, 200))}`,
    'Pass a name without slashes; subfolders are not supported.',
  )
}

/** Creates the error for a missing file of a folder. */
export const noSuchFile = (name: string, names: readonly string[], cause?: unknown): AttuneError =>
  new AttuneError(
    'FILE_NOT_FOUND',
    `file "${name}" does not exist`,
    names.length === 0 ? 'The folder is empty: write the file first.' : `Use one of ${names.slice(0, 8).join(', ')}.`,
    { cause },
  )
