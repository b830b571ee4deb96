// @ts-check
/**
 * Runs everything that guards the project: formatting, lint and package boundaries, types and build, tests, and repository-wide checks.
 * Unchanged results come from Nx's cache, and suites that take minutes run only if their inputs have changed (verified.mjs). `--all` runs
 * everything; other arguments are passed on to Nx.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { install, nxCommand, nxEnvironment, root } from './ready.mjs'

const TARGETS = 'format,lint,build,test,slow,check,snippets'

const all = process.argv.includes('--all')
const passedOn = process.argv.slice(2).filter((argument) => argument !== '--all')

install()
const folders = [
  '.',
  ...['packages', 'plugins', 'tools', 'examples'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name)),
  ),
]
const results = folders
  .filter((folder) => existsSync(join(root, folder, 'package.json')))
  .flatMap((folder) => ['test-results.json', 'slow-test-results.json'].map((file) => join(root, folder, file)))
for (const file of results) rmSync(file, { force: true })

const { status } = spawnSync(
  process.execPath,
  [
    ...[...nxCommand, 'run-many', '-t', TARGETS, '--outputStyle=static'],
    ...(all ? ['--skipNxCache', ...passedOn] : passedOn),
  ],
  { cwd: root, stdio: 'inherit', env: all ? { ...nxEnvironment, ATTUNE_TEST_ALL: '1' } : nxEnvironment },
)

const counts = results.filter(existsSync).map((file) => JSON.parse(readFileSync(file, 'utf8')))
const sumOf = (/** @type {string} */ name) => counts.reduce((sum, count) => sum + (count[name] ?? 0), 0)
const [passed, failed, verified] = [sumOf('numPassedTests'), sumOf('numFailedTests'), sumOf('numVerifiedTests')]
if (status !== 0 && failed === 0)
  console.log('All tests that ran passed, but a check, a build or lint failed (see above).')
if (verified > 0)
  console.log(
    `${verified} slow tests were not run, since they have passed on the same inputs (verified.json in their folder); npm test -- --all runs them.`,
  )
console.log(`${passed} passed, ${failed} failed`)
process.exit(status ?? 1)
