// @ts-check
/**
 * Lints several packages, in a few ESLint processes. They are ESLint's own program, since the rule on imports reads the whole project
 * graph again for each file anywhere else (`isTerminalRun` of @nx/eslint-plugin), which takes as long as all the rest.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { ESLint } from 'eslint'

/** @typedef {{ folder: string, files: string[] }} Work absolute path, and patterns of files in it */

const root = join(import.meta.dirname, '../..')
/** Number of packages per process above which another process pays off: each loads the whole linter. */
const MANY = 20
const MOST_PROCESSES = 4

/** Lints files in a process of its own. Rejects with what ESLint printed if it crashes. @param {string[]} patterns @returns {Promise<ESLint.LintResult[]>} */
async function resultsOf(patterns) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-eslint-'))
  const output = join(folder, 'results.json')
  const program = join(root, 'node_modules/eslint/bin/eslint.js')
  // Nx has just written the project graph, which the import rules read: see eslint.config.mjs.
  const env = { ...process.env, NX_TASK_TARGET_TARGET: 'lint' }
  const child = spawn(process.execPath, [program, '--format', 'json', '--output-file', output, ...patterns], {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  const printed = child.stderr.toArray()
  const code = await new Promise((resolve) => child.on('close', resolve))
  try {
    if (code !== 0 && code !== 1) throw new Error(`ESLint ended with code ${code}:\n${(await printed).join('')}`)
    return JSON.parse(readFileSync(output, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Result of each package; warnings count as errors. @param {Work[]} works @returns {Promise<{ success: boolean, text: string }[]>} */
export async function runEslint(works) {
  const processes = Math.min(MOST_PROCESSES, availableParallelism(), Math.ceil(works.length / MANY))
  const shares = Array.from({ length: processes }, (_, share) =>
    works.filter((_, index) => index % processes === share),
  )
  const patterns = shares.map((share) => share.flatMap(({ folder, files }) => files.map((file) => join(folder, file))))
  const all = (await Promise.all(patterns.map(resultsOf))).flat()
  const formatter = await new ESLint({ cwd: root }).loadFormatter('stylish')
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
