import { existsSync, writeFileSync } from 'node:fs'
import { AttuneError } from '@attune/core'

/**
 * Rejects a path that exists, before work is done for it.
 * @param flag the option that names the file
 * @throws AttuneError `FILE_EXISTS`
 */
export function requireNewFile(file: string, flag: string): void {
  if (!existsSync(file)) return
  throw new AttuneError('FILE_EXISTS', `${file} exists, and is not overwritten`, `Name another file: ${flag} FILE.`)
}

/**
 * Writes a file that does not exist yet.
 * @throws AttuneError `FILE_EXISTS`; `CANNOT_WRITE`
 */
export function writeNewFile(file: string, text: string, flag: string): void {
  requireNewFile(file, flag)
  try {
    writeFileSync(file, text, { flag: 'wx' })
  } catch (cause) {
    throw new AttuneError(
      'CANNOT_WRITE',
      `${file} could not be written: ${(cause as Error).message}`,
      `Name a file in an existing, writable folder: ${flag} FILE.`,
      { cause },
    )
  }
}
