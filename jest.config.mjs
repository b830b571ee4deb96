import { join } from 'node:path'

/**
 * The one Jest configuration: every package runs it from its own folder, over its compiled tests, so that what is
 * tested is what is published. Native ES modules, no transformation.
 */
export default {
  rootDir: process.cwd(),
  roots: ['<rootDir>/dist'],
  testMatch: ['**/*.test.js'],
  transform: {},
  testEnvironment: join(import.meta.dirname, 'tools/run/jest-environment.mjs'),
  testTimeout: 120_000,
  injectGlobals: false,
}
