import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SearchPlaces } from '@attune/core'

/** Where the command looks for plugins: the given folder, the current one, and its own. */
export const placesFrom = (folder = '.'): SearchPlaces => ({
  folders: [resolve(folder), process.cwd(), dirname(fileURLToPath(import.meta.url))],
})
