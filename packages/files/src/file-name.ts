import { AttuneError } from '@attune/core'

/**
 * Refuses a name that leads out of its folder.
 * @throws AttuneError `BAD_FILE_NAME`
 */
export function requireFileName(name: string): void {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)) return
  throw new AttuneError(
    'BAD_FILE_NAME',
    `expected the name of a file, got ${JSON.stringify(name.slice(0, 200))}`,
    'Give a name without slashes; a folder of files has no folders in it.',
  )
}

/** The error for a file that is not in its folder. */
export const noSuchFile = (name: string, names: readonly string[], cause?: unknown): AttuneError =>
  new AttuneError(
    'FILE_NOT_FOUND',
    `no file is called "${name}"`,
    names.length === 0 ? 'The folder is empty: write the file first.' : `Name one of ${names.slice(0, 8).join(', ')}.`,
    { cause },
  )
