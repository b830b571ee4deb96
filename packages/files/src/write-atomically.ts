import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isAttuneError } from '@attune/core'
import { makeFolder } from './make-folder.js'
import { writeFault } from './write-fault.js'

/** The content of a folder by file name: bytes or text, or a function that makes the bytes when their turn comes. */
export type FolderContent = Readonly<Record<string, Uint8Array | string | (() => Uint8Array)>>

/** The SHA-256 of bytes, in hexadecimal. */
export const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

/** Characters that are written at once. */
const BLOCK = 2 ** 18

const REMEDY = 'Make room or choose another folder, then resume; what was there before is untouched.'

async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  makeFolder(dirname(path))
  const file = await open(path, 'wx') // never through a symbolic link that somebody left there
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes the entries of a folder durable: without it, a renamed file may be gone after a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined) // Windows opens no folders, and needs none of this
  try {
    await handle?.sync()
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP'].includes(String((error as NodeJS.ErrnoException).code))) throw error
  } finally {
    await handle?.close()
  }
}

/**
 * Writes a file under a temporary name and renames it into place, durably.
 * @throws AttuneError `CANNOT_WRITE`; what was there before is intact.
 */
export async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.partial`
  try {
    await rm(temporary, { force: true })
    await writeDurably(temporary, content)
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw writeFault(path, cause, REMEDY)
  }
}

/**
 * Writes a file of lines as they come, under a temporary name of this process, and renames it into place, durably.
 * @param lines without line ends; where they end with an error, nothing is left
 * @returns the SHA-256 of the content, in hexadecimal, and its size in bytes
 * @throws AttuneError `CANNOT_WRITE`; errors of `lines` as they are
 */
export async function writeLinesAtomically(
  path: string,
  lines: AsyncIterable<string>,
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const temporary = `${path}.${process.pid}.partial`
  const hash = createHash('sha256')
  let bytes = 0
  let file: FileHandle | undefined
  const guarded = <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => Promise.reject(writeFault(path, cause, REMEDY)))
  const write = async (text: string): Promise<void> => {
    const block = Buffer.from(text)
    hash.update(block)
    bytes += block.length
    await guarded(file!.writeFile(block))
  }
  try {
    await guarded(rm(temporary, { force: true }))
    await guarded(Promise.resolve().then(() => makeFolder(dirname(path))))
    file = await guarded(open(temporary, 'wx'))
    let text = ''
    for await (const line of lines) {
      text += `${line}\n`
      if (text.length < BLOCK) continue
      await write(text)
      text = ''
    }
    await write(text)
    await guarded(file.sync())
    await file.close()
    file = undefined
    await guarded(rename(temporary, path))
    await syncFolder(dirname(path))
    return { sha256: hash.digest('hex'), bytes }
  } catch (cause) {
    await file?.close().catch(() => undefined)
    await rm(temporary, { force: true }).catch(() => undefined)
    throw cause
  }
}

/**
 * Writes a folder under a temporary name, reads every file back and compares digests, and only then moves it into place;
 * what stood there before is removed last. After a crash at any moment the old folder or the new one is there, whole.
 * @throws AttuneError `CANNOT_WRITE`; what was there before is intact.
 */
export async function writeFolderAtomically(folder: string, files: FolderContent): Promise<void> {
  const temporary = `${folder}.partial`
  const old = `${folder}.old`
  try {
    await rm(temporary, { recursive: true, force: true })
    for (const [name, given] of Object.entries(files)) {
      const path = join(temporary, name)
      const content = typeof given === 'function' ? given() : given
      await writeDurably(path, content)
      if ((await digestOfFile(path)) !== digest(content)) throw new Error(`${name} reads back with other bytes`)
    }
    await syncFolder(temporary)
    await rm(old, { recursive: true, force: true })
    if (existsSync(folder)) await rename(folder, old)
    await rename(temporary, folder)
    await syncFolder(dirname(folder))
    await rm(old, { recursive: true, force: true })
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined)
    throw isAttuneError(cause) ? cause : writeFault(folder, cause, REMEDY)
  }
}
