// @ts-check
/**
 * `@jest/globals` for tests that jest-runner.mjs runs: the functions of the current test file, looked up at each call, since a module
 * that defines tests, such as a suite of @attune/testkit, is loaded once for many files.
 */

/** @typedef {'afterAll' | 'afterEach' | 'beforeAll' | 'beforeEach' | 'describe' | 'expect' | 'it' | 'jest' | 'test'} Name */
/** @typedef {Readonly<Record<Name, any>>} Globals */

/** The functions of the current test file; jest-runner.mjs sets them. @type {{ globals?: Globals }} */
export const current = {}

/** @param {Name} name */
const delegate = (name) =>
  new Proxy(() => undefined, {
    apply: (_target, _this, args) => current.globals?.[name](...args),
    get: (_target, key) => current.globals?.[name][key],
  })

export const afterAll = delegate('afterAll')
export const afterEach = delegate('afterEach')
export const beforeAll = delegate('beforeAll')
export const beforeEach = delegate('beforeEach')
export const describe = delegate('describe')
export const expect = delegate('expect')
export const it = delegate('it')
export const jest = delegate('jest')
export const test = delegate('test')
