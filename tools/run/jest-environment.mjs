// @ts-check
/** Environment of tests: the process itself, in the folder of the package. */
import { ModernFakeTimers } from '@jest/fake-timers'
import { ModuleMocker } from 'jest-mock'

export default class {
  /** @param {import('@jest/environment').JestEnvironmentConfig} config */
  constructor({ projectConfig }) {
    this.folder = projectConfig.rootDir
    // Jest sets and replaces globals of its own here, which tests do not see.
    this.global = {}
    this.moduleMocker = new ModuleMocker(globalThis)
    this.fakeTimers = null
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis })
  }

  getVmContext() {
    return null
  }

  async setup() {
    // One process runs the tests of several packages, one file after another.
    process.chdir(this.folder)
  }

  async teardown() {
    this.moduleMocker.restoreAllMocks()
    this.fakeTimersModern.dispose()
  }
}
