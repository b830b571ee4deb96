import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SearchPlaces } from '@attune/resolve'

/** Places where the command looks for plugins: its own installation, then, for what the user names, a folder and the working one. */
export const placesFrom = (folder = '.'): SearchPlaces => ({
  folders: [dirname(fileURLToPath(import.meta.url))],
  local: [resolve(folder), process.cwd()],
})
