// @ts-check
/**
 * Jest's test runner with Node's own modules. Jest's modules are compiled again for each test file, in a context of its own, which takes
 * longer than most tests. Node's are loaded once for all test files of a process, which is valid because modules hold no state.
 */
import { createRequire, register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { current } from './jest-globals.mjs'

register('./jest-resolve.mjs', import.meta.url)

const require = createRequire(import.meta.url)
/** Jest's runner of one test file, which loads modules by the given runtime. @type {{ default: (...given: any[]) => Promise<unknown> }} */
const { default: run } = require('jest-circus/runner')

/** Loads Jest's definition of tests without those of another file. @param {string} path */
function requireAgain(path) {
  Reflect.deleteProperty(globalThis, Symbol.for('EVENT_HANDLERS'))
  Reflect.deleteProperty(require.cache, path)
  return require(path)
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
export default function (globalConfig, config, environment, runtime, testPath, sendMessageToJest) {
  const withNodesModules = Object.assign(Object.create(runtime), {
    requireInternalModule: requireAgain,
    requireModule: require,
    setGlobalsForRuntime: (/** @type {any} */ globals) => {
      current.globals = { ...globals, jest: jestOf(environment) }
    },
    unstable_shouldLoadAsEsm: () => true,
    unstable_importModule: (/** @type {string} */ path) => import(pathToFileURL(path).href),
  })
  return run(globalConfig, config, environment, withNodesModules, testPath, sendMessageToJest)
}
