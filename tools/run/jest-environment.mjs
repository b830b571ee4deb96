// @ts-check
/**
 * Node as tests see it: in the folder of their package, and with the typed arrays of Node itself: Jest gives each test file
 * constructors of its own, and native code does not take what they make for typed arrays.
 */
import vm from 'node:vm'
import { TestEnvironment } from 'jest-environment-node'

const SHARED = {
  Float32Array,
  Float64Array,
  Int32Array,
  Uint32Array,
  Uint8Array,
  Int8Array,
  BigInt64Array,
  ArrayBuffer,
}

export default class extends TestEnvironment {
  /** @param {import('@jest/environment').JestEnvironmentConfig} config @param {import('@jest/environment').EnvironmentContext} context */
  constructor(config, context) {
    // A context of Node's default kind asks a handler in C++ for each `Math` and `undefined` that code reads, which makes
    // loops several times as slow: this one has a plain global object.
    const { createContext } = vm
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY)
    super(config, context)
    vm.createContext = createContext
    this.folder = config.projectConfig.rootDir
  }

  /** @override */
  async setup() {
    await super.setup()
    Object.assign(this.global, SHARED)
    // One process runs the tests of several packages, one file after the other.
    process.chdir(this.folder)
  }
}
