// @ts-check
/**
 * Runs everything that guards the project: formatting, lint and package boundaries, types and build, tests, and repository-wide checks.
 * Unchanged results come from Nx's cache.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { install, nxCommand, nxEnvironment, root } from './ready.mjs'

const TARGETS = 'format,lint,build,test,check,snippets'

install()
const folders = [
  '.',
  ...['packages', 'plugins', 'tools', 'examples'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name)),
  ),
]
const results = folders
  .filter((folder) => existsSync(join(root, folder, 'package.json')))
  .map((folder) => join(root, folder, 'test-results.json'))
for (const file of results) rmSync(file, { force: true })

const { status } = spawnSync(
  process.execPath,
  [...nxCommand, 'run-many', '-t', TARGETS, '--outputStyle=static', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit', env: nxEnvironment },
)

const counts = results.filter(existsSync).map((file) => JSON.parse(readFileSync(file, 'utf8')))
const passed = counts.reduce((sum, { numPassedTests }) => sum + numPassedTests, 0)
const failed = counts.reduce((sum, { numFailedTests }) => sum + numFailedTests, 0)
if (status !== 0 && failed === 0)
  console.log('All tests that ran passed, but a check, a build or lint failed (see above).')
console.log(`${passed} passed, ${failed} failed`)
process.exit(status ?? 1)
