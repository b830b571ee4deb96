import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AttuneError, isAttuneError } from '@attune/core'

/** The content of a folder by file name: bytes or text, or what makes bytes when their turn comes. */
export type Files = Readonly<Record<string, Uint8Array | string | (() => Uint8Array)>>

/** The SHA-256 of bytes, in hexadecimal. */
export const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, 'w')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

const cannotWrite = (path: string, cause: unknown): AttuneError => {
  const reason =
    (cause as NodeJS.ErrnoException).code === 'ENOSPC' ? 'the disk is full' : String((cause as Error).message)
  return new AttuneError(
    'CANNOT_WRITE',
    `${path} could not be written: ${reason}`,
    'Make room or choose another folder, then resume; what was there before is untouched.',
    { cause },
  )
}

/** Writes a file under a temporary name, reads it back, and renames it into place. */
export async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.partial`
  try {
    await writeDurably(temporary, content)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw cannotWrite(path, cause)
  }
}

/**
 * Writes a folder under a temporary name, reads every file back and compares digests, and only then moves it into place;
 * what stood there before is removed last. After a crash at any moment the old folder or the new one is there, whole.
 * @throws AttuneError `CANNOT_WRITE`; what was there before is intact.
 */
export async function writeFolderAtomically(folder: string, files: Files): Promise<void> {
  const temporary = `${folder}.partial`
  const old = `${folder}.old`
  try {
    await rm(temporary, { recursive: true, force: true })
    for (const [name, given] of Object.entries(files)) {
      const path = join(temporary, name)
      const content = typeof given === 'function' ? given() : given
      await writeDurably(path, content)
      if (digest(await readFile(path)) !== digest(content)) throw new Error(`${name} reads back with other bytes`)
    }
    await rm(old, { recursive: true, force: true })
    if (existsSync(folder)) await rename(folder, old)
    await rename(temporary, folder)
    await rm(old, { recursive: true, force: true })
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined)
    throw isAttuneError(cause) ? cause : cannotWrite(folder, cause)
  }
}
