import { AttuneError, type Files } from '@attune/core'
import { noSuchFile, requireFileName } from './file-name.js'

/** The used subset of a browser's file handle. */
interface FileHandle {
  getFile(): Promise<{ arrayBuffer(): Promise<ArrayBuffer> }>
  createWritable(): Promise<{ write(content: Uint8Array<ArrayBuffer> | string): Promise<void>; close(): Promise<void> }>
}

/** A folder of the origin private file system: `await navigator.storage.getDirectory()`, or a folder in it. */
export interface DirectoryHandle {
  getFileHandle(name: string, options?: { create?: boolean }): Promise<FileHandle>
  entries(): AsyncIterable<[name: string, handle: { readonly kind: string }]>
}

const isAbsent = (cause: unknown): boolean => (cause as { readonly name?: unknown } | null)?.name === 'NotFoundError'

/** Creates the `Files` interface of a folder in a browser's origin private file system. */
export function opfsFiles(folder: DirectoryHandle): Files {
  async function list(): Promise<string[]> {
    const names: string[] = []
    for await (const [name, { kind }] of folder.entries()) if (kind === 'file') names.push(name)
    return names.sort()
  }
  return {
    list,
    async read(name) {
      requireFileName(name)
      try {
        const file = await (await folder.getFileHandle(name)).getFile()
        return new Uint8Array(await file.arrayBuffer())
      } catch (cause) {
        throw isAbsent(cause) ? noSuchFile(name, await list(), cause) : cause
      }
    },
    async write(name, content) {
      requireFileName(name)
      try {
        const writable = await (await folder.getFileHandle(name, { create: true })).createWritable()
        await writable.write(content as Uint8Array<ArrayBuffer> | string)
        await writable.close() // the new content becomes visible atomically on close
      } catch (cause) {
        throw new AttuneError(
          'CANNOT_WRITE',
          `${name} could not be written: ${(cause as Error).message}`,
          'Free some of the browser storage of this page and write the file again.',
          { cause },
        )
      }
    },
  }
}
