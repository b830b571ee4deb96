import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Specimen } from './broken/specimen.test.fixture.js'
import { specimens } from './broken/specimens.test.fixture.js'

/** A test result of Jest. */
interface Result {
  readonly ancestorTitles: readonly string[]
  readonly title: string
  readonly status: 'passed' | 'failed' | 'pending'
}

/** Slow tests (half a second or more): run on valid plugins, and on broken ones only if they must fail. */
const SLOW = [
  'minimizes (parabola|Rosenbrock function|least squares)',
  'reads 30 MB',
  'has a loss that decreases',
  'matches the gradient of its loss',
  'has the training loss and gradients of the whole batch',
  'matches the TF.js CPU backend',
].join('|')
/** A very slow test, which only the engines' own tests run. */
const SLOWEST = 'uses no more memory'

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Pattern of the full names of the tests to run. */
const wanted = (): string => {
  const also = Object.entries(specimens).flatMap(([kind, each]) =>
    each.flatMap(({ what, fails }) => {
      const name = `^${escaped(`${kind}: ${what}:`)}`
      if (fails.length === 0) return [`${name}(?!.*(${SLOWEST}))`]
      return fails.map((title) => `${name}.*${escaped(title)}$`)
    }),
  )
  return [`^(?!.*(${SLOW}|${SLOWEST}))`, ...also].join('|')
}

/** Runs the suites on all specimens in a Jest process of its own; returns the result of each test. */
function runSuites(): readonly Result[] {
  const folder = mkdtempSync(join(tmpdir(), 'attune-broken-'))
  const outputFile = join(folder, 'results.json')
  const flags = ['--no-warnings', '../../node_modules/jest/bin/jest.js', '--runInBand']
  const where = ['--config', '../../jest.config.mjs', '--testMatch', '**/broken/run.test.fixture.js']
  const { stderr } = spawnSync(
    process.execPath,
    [...flags, ...where, '--testNamePattern', wanted(), '--json', '--outputFile', outputFile],
    { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', maxBuffer: Infinity },
  )
  if (!existsSync(outputFile)) throw new Error(`the suites did not run: ${stderr.slice(-2000)}`)
  const { testResults } = JSON.parse(readFileSync(outputFile, 'utf8')) as {
    testResults: { message: string; assertionResults: readonly Result[] }[]
  }
  rmSync(folder, { recursive: true })
  const results = testResults.flatMap(({ assertionResults }) => assertionResults)
  if (results.length === 0) throw new Error(`the suites did not run: ${testResults[0]?.message ?? 'no file was found'}`)
  return results
}

const sorted = (titles: Iterable<string>): string[] => [...new Set(titles)].sort()

describe('the suite of', () => {
  let results: readonly Result[] = []
  beforeAll(() => void (results = runSuites()), 600_000)
  const of = (kind: string, { what }: Specimen): Result[] =>
    results.filter(({ ancestorTitles }) => ancestorTitles[0] === `${kind}: ${what}:`)

  for (const [kind, each] of Object.entries(specimens))
    describe(kind, () => {
      for (const specimen of each)
        it(`${specimen.fails.length === 0 ? 'passes' : 'fails'}: ${specimen.what}`, () => {
          const ran = of(kind, specimen).filter(({ status }) => status !== 'pending')
          expect(ran.length).toBeGreaterThan(0)
          expect(sorted(ran.filter(({ status }) => status === 'failed').map(({ title }) => title))).toEqual(
            sorted(specimen.fails),
          )
        })
    })
})
