// @ts-check
/** Runs the bundled specs on an engine: `node run-specs.mjs ENGINE BUNDLE RESULTS`. Writes the failures to a JSON file. */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tfjsCpu } from '@attune/engine-tfjs-cpu'
import { tfjsWasm } from '@attune/engine-tfjs-wasm'
import { compileEachKernel } from './compile-each-kernel.mjs'

/** Starts each engine and returns the name of its TensorFlow.js backend. @type {Record<string, () => Promise<string>>} */
const START = {
  'tfjs-cpu': () => tfjsCpu({}).start().then(() => 'cpu'), // prettier-ignore
  'tfjs-wasm': () => tfjsWasm({}).start().then(() => 'wasm'), // prettier-ignore
  onnxruntime: () => Promise.resolve(compileEachKernel()),
}

const [name = '', bundle = '', results = ''] = process.argv.slice(2)
const backendName = await START[name]?.()
const require = createRequire(import.meta.url)
const jasmineRequire = require(require.resolve('jasmine-core/lib/jasmine-core/jasmine.js'))
const jasmine = jasmineRequire.core(jasmineRequire)
const env = jasmine.getEnv({ suppressLoadErrors: true })
Object.assign(globalThis, jasmineRequire.interface(jasmine, env))
const { setTestEnvs, declareSpecs } = require(bundle)
setTestEnvs([{ name, backendName, flags: {}, isDataSync: true }])
await declareSpecs()

let passed = 0
/** @type {{ spec: string, message: string }[]} */
const failures = []
/** @param {{ fullName: string, status?: string, failedExpectations: { message: string }[] }} done */
const note = ({ fullName, status, failedExpectations: [failed] }) => {
  if (status === 'passed' && failed === undefined) passed++
  if (failed !== undefined) failures.push({ spec: fullName.replace(` ${name} {}`, ''), message: failed.message })
}
env.configure({ random: false, oneFailurePerSpec: true })
/** @type {Promise<void>} */
const ended = new Promise((resolve) => {
  env.addReporter({
    specDone: note,
    suiteDone: (/** @type {any} */ suite) => note({ ...suite, status: undefined }),
    jasmineDone: () => resolve(),
  })
})
env.execute()
await ended
writeFileSync(results, JSON.stringify({ passed, failures }))
process.exit(0)
