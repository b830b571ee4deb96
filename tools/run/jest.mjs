// @ts-check
/**
 * Runs the tests of packages in one Jest process and writes the results of each to its test-results.json. As a program, tests the package
 * in the working directory: with `--slow`, its slow tests (`*.slow.test.ts`), unless they have passed on the same inputs; with other
 * arguments, which it passes on to Jest, the tests that these choose; otherwise all tests except slow ones.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, join, sep } from 'node:path'
import { configOf } from '../../jest.config.mjs'
import { isVerified, noteVerified } from './verified.mjs'

/** @typedef {{ name: string, status: string, message: string, assertionResults: { status: string }[] }} File */
/** @typedef {{ success: boolean, text: string, passed: number }} Outcome */
/** @typedef {'all' | 'fast' | 'slow'} Which */

const root = join(import.meta.dirname, '../..')
/** Maximum number of Jest workers; more would only use memory. */
const MOST_WORKERS = 4
/** Memory limit after which a Jest worker is restarted, since it retains some memory of each file. */
const WORKER_MEMORY = '1GB'

/** @param {string} folder */
const hasTests = (folder) =>
  existsSync(join(folder, 'dist')) &&
  readdirSync(join(folder, 'dist'), { recursive: true }).some((file) => String(file).endsWith('.test.js'))

/** @param {Which} which */
const fileOf = (which) => (which === 'slow' ? 'slow-test-results.json' : 'test-results.json')

/** Runs Jest over folders. Returns the results of each file, or undefined if Jest itself failed. @param {string[]} folders @param {Which} which @param {string[]} args @returns {File[] | undefined} */
function resultsOf(folders, which, args) {
  const work = mkdtempSync(join(tmpdir(), 'attune-jest-'))
  const [config, outputFile] = [join(work, 'config.json'), join(work, 'results.json')]
  const { testTimeout, ...project } = configOf(root, which)
  const projects = folders.map((rootDir) => ({ ...project, rootDir, displayName: basename(rootDir) }))
  writeFileSync(config, JSON.stringify({ rootDir: root, testTimeout, projects, workerIdleMemoryLimit: WORKER_MEMORY }))
  spawnSync(
    process.execPath,
    [
      ...['--no-warnings', '--enable-source-maps'],
      join(root, 'node_modules/jest/bin/jest.js'),
      ...['--config', config, '--json', '--outputFile', outputFile, '--testLocationInResults'],
      `--maxWorkers=${folders.length === 1 ? 1 : Math.min(MOST_WORKERS, availableParallelism())}`,
      ...args,
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const files = existsSync(outputFile) ? JSON.parse(readFileSync(outputFile, 'utf8')).testResults : undefined
  rmSync(work, { recursive: true })
  return files
}

/** Writes the test results of a folder. @param {string} folder @param {Which} which @param {File[]} files @returns {Outcome} */
function noted(folder, which, files) {
  const all = files.flatMap(({ assertionResults }) => assertionResults)
  const count = (/** @type {string} */ status) => all.filter((test) => test.status === status).length
  const [numPassedTests, numFailedTests] = [count('passed'), count('failed')]
  writeFileSync(join(folder, fileOf(which)), JSON.stringify({ numPassedTests, numFailedTests, testResults: files }))
  const failures = files.filter(({ status }) => status === 'failed').map(({ name, message }) => `${name}\n${message}`)
  return {
    success: files.length > 0 && failures.length === 0,
    text: [...failures, `${numPassedTests} passed, ${numFailedTests} failed`].join('\n'),
    passed: numPassedTests,
  }
}

/** Test results of each folder, in order. @param {string[]} folders absolute paths @param {Which} [which] @param {string[]} [args] for Jest @returns {Outcome[]} */
export function runJest(folders, which = 'fast', args = []) {
  const tested = folders.filter(hasTests)
  const results = tested.length === 0 ? [] : resultsOf(tested, which, args)
  return folders.map((folder) => {
    if (!tested.includes(folder))
      return { success: false, text: `${folder} has no tests. Add <name>.test.ts next to the code.`, passed: 0 }
    if (results === undefined) return { success: false, text: 'Jest ended without results: see above.', passed: 0 }
    return noted(
      folder,
      which,
      results.filter(({ name }) => name.startsWith(folder + sep)),
    )
  })
}

if (process.argv[1] === import.meta.filename) {
  const args = process.argv.slice(2)
  const isSlow = args[0] === '--slow'
  if (isSlow && isVerified(fileOf('slow'))) process.exit(0)
  const [outcome] = isSlow
    ? runJest([process.cwd()], 'slow')
    : runJest([process.cwd()], args.length > 0 ? 'all' : 'fast', args)
  if (isSlow && outcome?.success) noteVerified(outcome.passed)
  // Jest has printed everything except the last line.
  console.log(outcome?.text.split('\n').at(-1))
  process.exit(outcome?.success ? 0 : 1)
}
