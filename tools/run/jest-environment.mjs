// @ts-check
/** Environment of tests: the process itself, in the folder of the package. What one test file changes there is undone for the next. */
import { createRequire } from 'node:module'
import { ModernFakeTimers } from '@jest/fake-timers'
import { ModuleMocker } from 'jest-mock'

const require = createRequire(import.meta.url)

/** Selects the CPU backend, if TF.js has been loaded: a run with a compiling engine leaves its own one selected. */
async function selectCpu() {
  const loaded = Object.keys(require.cache).find((path) => path.endsWith('tf-core.node.js'))
  if (loaded === undefined) return
  const tf = require(loaded)
  if (tf.findBackendFactory('cpu')) await tf.setBackend('cpu')
}

export default class {
  /** @param {import('@jest/environment').JestEnvironmentConfig} config */
  constructor({ projectConfig }) {
    this.folder = projectConfig.rootDir
    // Jest sets and replaces globals of its own here, which tests do not see.
    this.global = {}
    this.moduleMocker = new ModuleMocker(globalThis)
    this.fakeTimers = null
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis })
    this.variables = { ...process.env }
  }

  getVmContext() {
    return null
  }

  async setup() {
    // One process runs the tests of several packages, one file after another.
    process.chdir(this.folder)
    await selectCpu()
  }

  async teardown() {
    this.moduleMocker.restoreAllMocks()
    this.fakeTimersModern.dispose()
    for (const name of Object.keys(process.env))
      if (!(name in this.variables)) Reflect.deleteProperty(process.env, name)
    Object.assign(process.env, this.variables)
  }
}
