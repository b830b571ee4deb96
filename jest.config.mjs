import { join } from 'node:path'

/** Tests that take long have names of their own: they run only if their inputs have changed (tools/run/verified.mjs). */
const SLOW = '.slow.test.js'

/**
 * The one Jest configuration, for a package's folder: its compiled tests, so that what is tested is what is published.
 * Node's own ES modules, no transformation.
 * @param {string} rootDir
 * @param {'all' | 'fast' | 'slow'} [which] tests by the time they take
 */
export const configOf = (rootDir, which = 'all') => ({
  rootDir,
  roots: ['<rootDir>/dist'],
  testMatch: [which === 'slow' ? `**/*${SLOW}` : '**/*.test.js'],
  testPathIgnorePatterns: which === 'fast' ? [SLOW.replaceAll('.', '\\.')] : [],
  transform: {},
  testRunner: join(import.meta.dirname, 'tools/run/jest-runner.mjs'),
  testEnvironment: join(import.meta.dirname, 'tools/run/jest-environment.mjs'),
  // Ends a test that hangs; no test measures time by it, so that a busy machine fails none.
  testTimeout: 600_000,
  injectGlobals: false,
})

export default configOf(process.cwd())
