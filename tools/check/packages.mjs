// @ts-check
/** The packages of the workspace and their files, as read by the checks. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The root of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

/**
 * A package of the workspace. `folder` is relative to the root, as in `plugins/metric-f1`; `files` are the TypeScript files under `src` by
 * path relative to the package; `readme` and `license` are empty if there is none.
 * @typedef {{
 *   folder: string, group: 'packages' | 'plugins', short: string, directory: string,
 *   manifest: Record<string, any>, manifestText: string, readme: string, license: string,
 *   files: Readonly<Record<string, string>>
 * }} Package
 */

/** Result of a check: problems, one line each, and a summary. @typedef {{ problems: string[], summary: string }} Finding */

const textOf = (/** @type {string} */ path) => (existsSync(path) ? readFileSync(path, 'utf8') : '')

/** @param {string} directory */
const typeScriptIn = (directory) =>
  existsSync(join(directory, 'src'))
    ? readdirSync(join(directory, 'src'), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .sort()
        .map((file) => [`src/${file}`, readFileSync(join(directory, 'src', file), 'utf8')])
    : []

/** The packages under `packages/` and `plugins/`. @returns {Package[]} */
export function packagesIn(base = root) {
  const groups = /** @type {const} */ (['packages', 'plugins'])
  return groups.flatMap((group) =>
    readdirSync(join(base, group))
      .filter((short) => existsSync(join(base, group, short, 'package.json')))
      .sort()
      .map((short) => {
        const directory = join(base, group, short)
        const manifestText = readFileSync(join(directory, 'package.json'), 'utf8')
        return {
          folder: `${group}/${short}`,
          group,
          short,
          directory,
          manifest: JSON.parse(manifestText),
          manifestText,
          readme: textOf(join(directory, 'README.md')),
          license: textOf(join(directory, 'LICENSE')),
          files: Object.fromEntries(typeScriptIn(directory)),
        }
      }),
  )
}

/** True for tests and test fixtures. @param {string} path */
export const isTest = (path) => /\.test(\.fixture)?\.ts$/.test(path)

/** The published source files. @param {Package} each */
export const sourcesOf = (each) => Object.entries(each.files).filter(([path]) => !isTest(path))

/** The built file of an entry of the package. @param {Package} each @param {string} [entry] */
export const entryOf = (each, entry = '.') => join(each.directory, each.manifest.exports[entry].default)

/** The built module. @param {Package} each @param {string} [entry] @returns {Promise<Record<string, any>>} */
export async function load(each, entry) {
  if (!existsSync(entryOf(each, entry))) throw new Error(`${each.folder} is not built: npm run build`)
  return import(pathToFileURL(entryOf(each, entry)).href)
}

/** Number of lines that are neither blank nor only a comment. @param {string} text */
export const codeLines = (text) =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length

/** Prints the result of a check that runs as a program; fails if there are problems. @param {Finding} finding */
export function report({ problems, summary }) {
  for (const problem of problems) console.error(`  ${problem}`)
  console.log(problems.length === 0 ? summary : `${problems.length} problem${problems.length === 1 ? '' : 's'}`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

/** True if the module at this URL is the program that was started. @param {string} address */
export const isProgram = (address) => process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === address
