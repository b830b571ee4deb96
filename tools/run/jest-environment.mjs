// @ts-check
/**
 * Node environment for tests: runs in the folder of the package, with Node's own typed arrays. Jest creates separate constructors per
 * test file, and native code does not recognize their instances as typed arrays.
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
    // Node's default context calls a C++ handler for each access to a global such as `Math` or `undefined`, which makes loops several times
    // slower. This one has a plain global object.
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
    // One process runs the tests of several packages, one file after another.
    process.chdir(this.folder)
  }
}
