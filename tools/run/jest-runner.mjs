// @ts-check
/**
 * Jest's test runner with Node's own modules. Jest's modules are compiled again for each test file, in a context of its own, which takes
 * longer than most tests. Node's are loaded once for all test files of a process, which is valid because modules hold no state.
 */
import { createRequire, register } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { current } from './jest-globals.mjs'

register('./jest-resolve.mjs', import.meta.url)

const require = createRequire(import.meta.url)
const circus = join(dirname(require.resolve('jest-circus/package.json')), 'build/jestAdapterInit.js')

/** Jest's definition of tests, without those of another file. */
function freshCircus() {
  Reflect.deleteProperty(globalThis, Symbol.for('EVENT_HANDLERS'))
  Reflect.deleteProperty(require.cache, circus)
  return require(circus)
}

/** The part of the object `jest` that does not concern modules. @param {any} environment */
const jestOf = ({ moduleMocker, fakeTimersModern }) => ({
  fn: moduleMocker.fn.bind(moduleMocker),
  spyOn: moduleMocker.spyOn.bind(moduleMocker),
  restoreAllMocks: () => moduleMocker.restoreAllMocks(),
  useFakeTimers: (/** @type {any} */ options) => fakeTimersModern.useFakeTimers(options),
  useRealTimers: () => fakeTimersModern.useRealTimers(),
})

/** @param {any} globalConfig @param {any} config @param {any} environment @param {any} runtime @param {string} testPath @param {any} sendMessageToJest */
export default async function (globalConfig, config, environment, runtime, testPath, sendMessageToJest) {
  const { initialize, runAndTransformResultsToJestFormat } = freshCircus()
  await initialize({
    ...{ config, environment, globalConfig, runtime, sendMessageToJest, testPath },
    localRequire: require,
    parentProcess: process,
    setGlobalsForRuntime: (/** @type {any} */ globals) => {
      current.globals = { ...globals, jest: jestOf(environment) }
    },
  })
  await import(pathToFileURL(testPath).href)
  return runAndTransformResultsToJestFormat({
    ...{ config, globalConfig, testPath },
    setupAfterEnvPerfStats: { setupAfterEnvStart: 0, setupAfterEnvEnd: 0 },
  })
}
