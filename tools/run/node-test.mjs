// @ts-check
/**
 * Runs the tests of the working directory (or the given files) with Node's test runner, and writes their counts to test-results.json in
 * the same format as Jest. Suites with a file `verified.json`, which take minutes, run only if their inputs differ from those that they
 * passed on last; `npm test -- --all` runs them nevertheless.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'

const VERIFIED = 'verified.json'

/** Nx's digest of all inputs of the suite: sources, golden files, dependencies, commands. Undefined outside Nx. */
const inputs = process.env['NX_TASK_HASH']
const isSlow = inputs !== undefined && existsSync(VERIFIED)
const verified = isSlow ? JSON.parse(readFileSync(VERIFIED, 'utf8')) : {}
if (isSlow && verified.inputs === inputs && !process.env['ATTUNE_TEST_ALL']) {
  console.log(
    `${verified.tests} tests not run: they passed on the same inputs (${VERIFIED}). npm test -- --all runs them.`,
  )
  writeFileSync(
    'test-results.json',
    JSON.stringify({ numPassedTests: 0, numFailedTests: 0, numVerifiedTests: verified.tests }),
  )
  process.exit(0)
}

const given = process.argv.slice(2)
const files = given.length > 0 ? given : readdirSync('.').filter((name) => name.endsWith('.test.mjs'))
const folder = mkdtempSync(join(tmpdir(), 'attune-tests-'))
const report = join(folder, 'report.xml')
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    // Node's default is one less, which leaves a core idle when the longest suite runs alone at the end.
    `--test-concurrency=${availableParallelism()}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=junit',
    `--test-reporter-destination=${report}`,
    ...files,
  ],
  { stdio: ['ignore', 'inherit', 'inherit'] },
)
const text = readFileSync(report, 'utf8')
rmSync(folder, { recursive: true })
/** @param {string} word */
const count = (word) => Number(new RegExp(`<!-- ${word} (\\d+) -->`).exec(text)?.[1] ?? 0)
const numFailedTests = count('fail') + count('cancelled')
const numPassedTests = count('pass')
writeFileSync('test-results.json', JSON.stringify({ numPassedTests, numFailedTests }))
if (isSlow && status === 0) writeFileSync(VERIFIED, `${JSON.stringify({ inputs, tests: numPassedTests }, null, 2)}\n`)
process.exit(status ?? 1)
