// @ts-check
/** Runs the tests of the package in whose folder it is called, and leaves their counts in test-results.json. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const tested =
  existsSync('dist') && readdirSync('dist', { recursive: true }).some((file) => String(file).endsWith('.test.js'))
if (!tested) {
  console.error(`${process.cwd()} has no tests. Every package has some: put <name>.test.ts beside the code.`)
  process.exit(1)
}
const run = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--no-warnings',
    '--enable-source-maps',
    join(root, 'node_modules/jest/bin/jest.js'),
    '--config',
    join(root, 'jest.config.mjs'),
    '--maxWorkers=1',
    '--json',
    '--outputFile=test-results.json',
    '--testLocationInResults',
    ...process.argv.slice(2),
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
)
process.exit(run.status ?? 1)
