import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Files } from '@attune/core'
import { noSuchFile, requireFileName } from './file-name.js'
import { readWholeFile } from './read-file.js'
import { readRemedy } from './regular-file.js'
import { writeFileAtomically } from './write-atomically.js'

/**
 * Creates the `Files` interface of a folder on disk. The first write creates the folder.
 * @param maximumBytes size limit for reading. Default: 4 GiB
 */
export function folderFiles(folder: string, maximumBytes: number = 2 ** 32): Files {
  const list = (): string[] =>
    existsSync(folder)
      ? readdirSync(folder, { withFileTypes: true })
          .flatMap((entry) => (entry.isDirectory() ? [] : [entry.name]))
          .sort()
      : []
  const read = (name: string): Uint8Array => {
    requireFileName(name)
    const path = join(folder, name)
    if (!existsSync(path)) throw noSuchFile(name, list())
    try {
      return readWholeFile(path, maximumBytes)!
    } catch (cause) {
      throw new AttuneError(
        'FILE_NOT_READABLE',
        `cannot read ${path}: ${(cause as Error).message}`,
        readRemedy(cause, 'Check that it is a regular file and that you have permission to read it.'),
        { cause },
      )
    }
  }
  return {
    read: async (name) => read(name),
    async write(name, content) {
      requireFileName(name)
      await writeFileAtomically(join(folder, name), content)
    },
    list: async () => list(),
  }
}
