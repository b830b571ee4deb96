import type { expect as expectOfJest } from 'expect'

type Expect = typeof expectOfJest
type Block = (title: string, body: () => void) => unknown
type Test = (title: string, body: () => unknown) => unknown
type Hook = (body: () => unknown) => unknown

/** The functions of a test runner that the suites call, under Jest's names. */
interface Runner {
  readonly describe: Block
  readonly it: Test
  readonly expect: Expect
  readonly beforeAll: Hook
  readonly afterAll: Hook
  readonly beforeEach: Hook
  readonly afterEach: Hook
}

/** Global functions of a test runner; Mocha calls two of the hooks `before` and `after`. */
type Globals = Partial<Runner> & { readonly before?: Hook; readonly after?: Hook }

/** Jest's `expect` as a package of its own, for runners without one. */
const expectAlone = async (): Promise<Expect> => (await import('expect')).expect

/** Functions of the runner whose globals are present. */
async function ofGlobals(globals: Globals): Promise<Runner | undefined> {
  const { describe, it, beforeEach, afterEach, expect } = globals
  const [beforeAll, afterAll] = [globals.beforeAll ?? globals.before, globals.afterAll ?? globals.after]
  if (!describe || !it || !beforeAll || !afterAll || !beforeEach || !afterEach) return undefined
  return { describe, it, beforeAll, afterAll, beforeEach, afterEach, expect: expect ?? (await expectAlone()) }
}

/** Functions of Jest without globals. Outside Jest, the module cannot be imported. */
const ofJest = async (): Promise<Runner | undefined> =>
  import('@jest/globals').then(
    (jest) => jest as unknown as Runner,
    () => undefined,
  )

/** Functions of Node's own runner, which also runs tests in a plain program. */
async function ofNode(): Promise<Runner> {
  const { describe, it, before, after, beforeEach, afterEach } = await import('node:test')
  return {
    describe,
    it,
    beforeAll: before,
    afterAll: after,
    beforeEach,
    afterEach,
    expect: await expectAlone(),
  } as Runner
}

/**
 * The functions of the test runner that runs: its globals if there are any (Jest, Vitest, Mocha), otherwise those of `@jest/globals`
 * inside Jest, otherwise those of `node:test`.
 */
export const { describe, it, expect, beforeAll, afterAll, beforeEach, afterEach } =
  (await ofGlobals(globalThis as Globals)) ?? (await ofJest()) ?? (await ofNode())
