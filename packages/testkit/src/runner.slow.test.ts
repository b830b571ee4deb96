import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const folder = mkdtempSync(join(tmpdir(), 'attune-testkit-runner-'))
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))

/** A metric, with `add` to be replaced by a broken one, and its contract suite. */
const metricSuite = (added: string): string => `import { METRIC, definePlugin } from '@attune/core'
import { describeMetric } from '@attune/testkit'
import { z } from 'zod'
const accuracy = definePlugin({
  kind: METRIC, name: 'accuracy', summary: 'Fraction of correct predictions', options: z.strictObject({}),
  create: () => ({
    name: 'accuracy', compares: 'label', direction: 'maximize', range: [0, 1],
    init: () => ({ correct: 0, total: 0 }),
    add: (state, predictions, references) => ({
      correct: state.correct + predictions.filter((prediction, i) => prediction === references[i]).length,
      total: ${added},
    }),
    merge: (a, b) => ({ correct: a.correct + b.correct, total: a.total + b.total }),
    result: ({ correct, total }) => ({ value: total === 0 ? 0 : correct / total }),
  }),
})
const example = { options: {}, predictions: ['a', 'b', 'a'], references: ['a', 'b', 'b'], expected: { value: 2 / 3 } }
describeMetric(accuracy, { golden: { source: 'arithmetic', cases: [example] } })
`
/** A tracker that writes a line per event, for which the suite replaces the clock and the output. */
const trackerSuite = `import { TRACKER, definePlugin } from '@attune/core'
import { describeTracker } from '@attune/testkit'
import { z } from 'zod'
const lines = definePlugin({
  kind: TRACKER, name: 'lines', summary: 'Writes a line per event', options: z.strictObject({}),
  create: () => (events) => events.subscribe({
    next: ({ type }) => { process.stdout.write(type + '\\n'); setTimeout(() => undefined, 0).unref?.() },
    error: () => undefined,
  }),
})
describeTracker(lines)
`
/** Globals as Vitest and Jest have them: they note titles and run no test. */
const globalNames = ['describe', 'it', 'expect', 'beforeAll', 'afterAll', 'beforeEach', 'afterEach']
const withGlobals = `const titles = []
for (const name of ${JSON.stringify(globalNames)})
  globalThis[name] = (title, body) => void (typeof title === 'string' && titles.push(title), name === 'describe' && body())
await import('./metric.test.mjs')
console.log(titles.join('; '))
`

function node(...args: string[]): { readonly code: number | null; readonly out: string } {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: '0' }
  delete env['NODE_TEST_CONTEXT'] // set if this test itself runs under node --test
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' })
  return { code: status, out: stdout + stderr }
}

beforeAll(() => {
  symlinkSync(modules, join(folder, 'node_modules'))
  writeFileSync(join(folder, 'metric.test.mjs'), metricSuite('state.total + predictions.length'))
  writeFileSync(join(folder, 'broken.test.mjs'), metricSuite('predictions.length'))
  writeFileSync(join(folder, 'tracker.test.mjs'), trackerSuite)
  writeFileSync(join(folder, 'globals.mjs'), withGlobals)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('outside Jest', () => {
  it('loads in a plain program', () => {
    const program =
      "const { EXCEPTIONS } = await import('@attune/testkit'); console.log(Object.keys(EXCEPTIONS.pruner))"
    expect(node('--input-type=module', '--eval', program)).toEqual({ code: 0, out: "[ 'best' ]\n" })
  })

  it('runs the suite of a metric with node --test', () => {
    const { code, out } = node('--test', '--test-reporter=tap', 'metric.test.mjs')
    expect([code, /^# pass 12$/m.test(out), /^# fail 0$/m.test(out)]).toEqual([0, true, true])
    expect(out).toContain('does not depend on the order of examples')
  })

  it('fails for a broken metric with node --test', () => {
    const { code, out } = node('--test', '--test-reporter=tap', 'broken.test.mjs')
    expect(code).toBe(1)
    expect(out).toMatch(/not ok \d+ - does not depend on the division into batches/)
    expect(out).toMatch(/\n +ok \d+ - does not depend on the order of examples/)
  })

  it('replaces the clock and the output with node --test', () => {
    const { code, out } = node('--test', '--test-reporter=tap', 'tracker.test.mjs')
    expect([code, out]).toEqual([1, expect.stringMatching(/not ok \d+ - unsubscribes from the events at any time/)])
    expect(out).toMatch(/\n +ok \d+ - handles every event type/)
    expect(out).not.toMatch(/^run\.started$/m)
  })

  it('runs with the globals of a test runner', () => {
    const { code, out } = node('globals.mjs')
    expect([code, out]).toEqual([0, expect.stringContaining('metric accuracy; manifest and options; ')])
  })
})
