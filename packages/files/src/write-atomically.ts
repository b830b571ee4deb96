import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isAttuneError } from '@attune/core'
import { makeFolder } from './make-folder.js'
import { writeFault } from './write-fault.js'

/** Content of a file: bytes, text, or bytes in parts, so that only one part is in memory. */
export type FileContent = Uint8Array | string | AsyncIterable<Uint8Array>

/** SHA-256 digests of files by name, in hexadecimal. */
export type Digests = Readonly<Record<string, string>>

/**
 * The content of a folder by file name. A function is called when its file is written, with the digests of the files
 * before it.
 */
export type FolderContent = Readonly<Record<string, Uint8Array | string | ((digests: Digests) => FileContent)>>

/** SHA-256 of bytes, in hexadecimal. */
export const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

/** Number of characters per write. */
const BLOCK = 2 ** 18

const REMEDY = 'Free disk space or choose another folder, then resume. The previous content is unchanged.'

const isInParts = (content: FileContent): content is AsyncIterable<Uint8Array> =>
  typeof content !== 'string' && Symbol.asyncIterator in content

/** Writes a new file and syncs it. Returns its SHA-256, in hexadecimal. */
async function writeDurably(path: string, content: FileContent): Promise<string> {
  makeFolder(dirname(path))
  const file = await open(path, 'wx') // never through an existing symbolic link
  const hash = createHash('sha256')
  try {
    for await (const part of isInParts(content) ? content : [content]) {
      hash.update(part)
      await file.writeFile(part)
    }
    await file.sync()
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

/** Syncs the entries of a folder to disk; otherwise a renamed file may be lost in a power failure. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined) // Windows cannot open folders and does not need this
  try {
    await handle?.sync()
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP'].includes(String((error as NodeJS.ErrnoException).code))) throw error
  } finally {
    await handle?.close()
  }
}

/**
 * Writes a file atomically and durably: to a temporary file, which is synced and renamed.
 * @throws AttuneError `CANNOT_WRITE`; the previous content is intact.
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
 * Streams lines to a file atomically and durably: to a temporary file of this process, which is synced and renamed.
 * @param lines lines without endings; if the iterable throws, nothing is left behind
 * @returns the SHA-256 of the content, in hexadecimal, and its size in bytes
 * @throws AttuneError `CANNOT_WRITE`; errors of `lines` unchanged
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
 * Writes a folder atomically: to a temporary folder whose files are read back and verified by digest before it is renamed. The
 * previous folder is removed last. After a crash at any moment, either the old or the new folder exists completely.
 * @throws AttuneError `CANNOT_WRITE`; the previous folder is intact.
 */
export async function writeFolderAtomically(folder: string, files: FolderContent): Promise<void> {
  const temporary = `${folder}.partial`
  const old = `${folder}.old`
  const digests: Record<string, string> = {}
  try {
    await rm(temporary, { recursive: true, force: true })
    for (const [name, source] of Object.entries(files)) {
      const path = join(temporary, name)
      digests[name] = await writeDurably(path, typeof source === 'function' ? source({ ...digests }) : source)
      if ((await digestOfFile(path)) !== digests[name]) throw new Error(`${name} has different bytes when read back`)
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
