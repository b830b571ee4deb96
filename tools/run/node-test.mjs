// @ts-check
/**
 * Runs the tests of the working directory (or the given files) with Node's test runner, and writes their counts to test-results.json in
 * the same format as Jest. Slow suites run only if their inputs have changed (verified.mjs).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isVerified, noteVerified } from './verified.mjs'

const RESULTS = 'test-results.json'

if (isVerified(RESULTS)) process.exit(0)

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
writeFileSync(RESULTS, JSON.stringify({ numPassedTests, numFailedTests }))
if (status === 0) noteVerified(numPassedTests)
process.exit(status ?? 1)
