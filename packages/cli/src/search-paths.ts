import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SearchPaths } from '@attune/resolve'

/** Folders that are searched for plugins: the installation of the command, then, for names that the user writes, a folder and the working folder. */
export const searchPathsFrom = (folder = '.'): SearchPaths => ({
  folders: [dirname(fileURLToPath(import.meta.url))],
  local: [resolve(folder), process.cwd()],
})
