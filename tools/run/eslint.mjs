// @ts-check
/** Lints several packages in one ESLint process. */
import { availableParallelism } from 'node:os'
import { join, sep } from 'node:path'
import { ESLint } from 'eslint'

const root = join(import.meta.dirname, '../..')
/** Number of packages above which worker threads pay off: each thread loads the whole linter. */
const MANY = 40
const MOST_THREADS = 4

/**
 * Result of each package; warnings count as errors.
 * @param {{ folder: string, files: string[] }[]} works absolute paths, and patterns of files in them @returns {Promise<{ success: boolean, text: string }[]>}
 */
export async function runEslint(works) {
  // Nx has just written the project graph, which the import rules read: see eslint.config.mjs.
  process.env.NX_TASK_TARGET_TARGET = 'lint'
  const threads = Math.min(MOST_THREADS, availableParallelism())
  const eslint = new ESLint({ cwd: root, concurrency: works.length > MANY ? threads : 'off' })
  const formatter = await eslint.loadFormatter('stylish')
  const all = await eslint.lintFiles(works.flatMap(({ folder, files }) => files.map((file) => join(folder, file))))
  // The root contains all other folders: a file belongs to the innermost one.
  const inward = works.map(({ folder }) => folder).sort((one, other) => other.length - one.length)
  const homeOf = (/** @type {string} */ path) => inward.find((folder) => path.startsWith(folder + sep))
  return Promise.all(
    works.map(async ({ folder }) => {
      const own = all.filter(({ filePath }) => homeOf(filePath) === folder)
      const wrong = own.some(({ errorCount, warningCount }) => errorCount + warningCount > 0)
      return { success: !wrong, text: wrong ? await formatter.format(own) : `${own.length} files` }
    }),
  )
}
