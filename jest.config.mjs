import { join } from 'node:path'

/**
 * The one Jest configuration, for a package's folder: its compiled tests, so that what is tested is what is published.
 * Node's own ES modules, no transformation.
 * @param {string} rootDir
 */
export const configOf = (rootDir) => ({
  rootDir,
  roots: ['<rootDir>/dist'],
  testMatch: ['**/*.test.js'],
  transform: {},
  testRunner: join(import.meta.dirname, 'tools/run/jest-runner.mjs'),
  testEnvironment: join(import.meta.dirname, 'tools/run/jest-environment.mjs'),
  // Ends a test that hangs; no test measures time by it, so that a busy machine fails none.
  testTimeout: 600_000,
  injectGlobals: false,
})

export default configOf(process.cwd())
