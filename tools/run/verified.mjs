// @ts-check
/**
 * Slow suites have a file `verified.json` in their folder: Nx's digest of the inputs that they passed on last. They run only if their
 * inputs differ from those; `npm test -- --all` runs them nevertheless.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const FILE = 'verified.json'

/** Nx's digest of all inputs of the suite: sources, golden files, dependencies, commands. Undefined outside Nx. */
const inputs = process.env['NX_TASK_HASH']

/** True if the working directory holds a slow suite, and Nx runs it. */
const isSlow = () => inputs !== undefined && existsSync(FILE)

/** Writes the counts of a suite that need not run, and returns true if it has passed on the same inputs. @param {string} results file of the counts */
export function isVerified(results) {
  const verified = isSlow() ? JSON.parse(readFileSync(FILE, 'utf8')) : {}
  if (!isSlow() || verified.inputs !== inputs || process.env['ATTUNE_TEST_ALL']) return false
  console.log(`${verified.tests} tests not run: they passed on the same inputs (${FILE}). npm test -- --all runs them.`)
  writeFileSync(results, JSON.stringify({ numPassedTests: 0, numFailedTests: 0, numVerifiedTests: verified.tests }))
  return true
}

/** Notes that the suite has passed on its inputs. @param {number} tests number of tests that passed */
export function noteVerified(tests) {
  if (isSlow()) writeFileSync(FILE, `${JSON.stringify({ inputs, tests }, null, 2)}\n`)
}
