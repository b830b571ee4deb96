import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PROTOCOL, definePlugin } from '@attune/core'
import { type RunConfig, evaluateRun, makeEnsemble, openPredictor } from '@attune/trainer/node'
import { lastValueFrom } from 'rxjs'
import { z } from 'zod'
import { crossValidate } from './cross-validate.js'
import { tinyConfig, tinyData } from './tiny.test.fixture.js'

const folder = tinyData()
afterAll(() => rmSync(folder, { recursive: true }))
const at = (...names: string[]): string => join(folder, ...names)
const LABELS = ['admin', 'games']
const ROWS = readFileSync(at('train.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly text: string; readonly label: string })

/** Three folds, of which each holds out every third row. */
const thirds = definePlugin({
  kind: PROTOCOL,
  name: 'thirds',
  summary: 'Three folds, of which each holds out every third row',
  options: z.strictObject({}),
  create: () => ({
    split(count: number) {
      const all = Array.from({ length: count }, (_, i) => i)
      const part = (k: number) => ({
        train: all.filter((i) => i % 3 !== k),
        validation: all.filter((i) => i % 3 === k),
      })
      return [0, 1, 2].map(part)
    },
  }),
})
const searchPaths = { folders: ['.'], registered: [thirds] }

/** Cross-validates the tiny classifier, trained long enough to memorize its rows. */
const folds = (directory: string, rest: object = {}): Promise<unknown> => {
  const config = {
    ...tinyConfig,
    objective: { use: 'sequence-classification', maximumLength: 16, labels: LABELS },
    training: { epochs: 10, batchSize: 8, learningRate: 0.05 },
    protocol: thirds,
    directory,
    ...rest,
  }
  return lastValueFrom(crossValidate(config as unknown as RunConfig, { baseDirectory: folder }))
}
const stack = (runs: readonly string[], output: string) =>
  makeEnsemble(runs.map((run) => at(run)), { method: 'stack', output: at(output), searchPaths }) // prettier-ignore

/** Probability of the second label for each row, by a run or an ensemble. */
async function predict(path: string, rows: readonly object[]): Promise<number[]> {
  const predictor = await openPredictor(path, { searchPaths })
  const answers = (await predictor.predict(rows as never)) as unknown as readonly { scores: Record<string, number> }[]
  await predictor.close()
  return answers.map(({ scores }) => scores['games']!)
}

describe('stacking of cross-validations', () => {
  beforeAll(async () => {
    await folds('a')
    await folds('b', { model: { use: 'mlp', embeddingSize: 4, hiddenSizes: [4] } })
  })

  it('fits the regression to predictions by runs that did not train on the row', async () => {
    await stack(['a', 'b'], 'stack')
    const { combination } = JSON.parse(readFileSync(at('stack/ensemble.json'), 'utf8')) as {
      combination: { regression: { coefficients: number[][]; intercepts: number[] } }
    }
    const [[w, v], [bias]] = [combination.regression.coefficients[0]!, combination.regression.intercepts]
    const slope = async (chosen: (fold: number, row: number) => boolean) => {
      let [intercept, slopes] = [0, [-w!, -v!]] // the gradient of the penalized loss, zero only at its optimum
      for (const fold of [0, 1, 2]) {
        const rows = ROWS.filter((_, i) => chosen(fold, i))
        const [p, q] = [await predict(at('a/folds', String(fold)), rows), await predict(at('b/folds', String(fold)), rows)] // prettier-ignore
        for (const [i, { label }] of rows.entries()) {
          const error = Number(label === 'games') - 1 / (1 + Math.exp(-(w! * p[i]! + v! * q[i]! + bias!)))
          intercept += error
          slopes = [slopes[0]! + error * p[i]!, slopes[1]! + error * q[i]!]
        }
      }
      return Math.max(...[intercept, ...slopes].map(Math.abs))
    }
    expect(await slope((fold, i) => i % 3 === fold)).toBeLessThan(1e-3)
    expect(await slope((fold, i) => i % 3 === (fold + 1) % 3)).toBeGreaterThan(0.1)
  })

  it('opens like a run: each member is the mean of its folds', async () => {
    const texts = ROWS.slice(0, 5)
    const runs = await Promise.all(['0', '1', '2'].map((fold) => predict(at('b/folds', fold), texts)))
    for (const [i, found] of (await predict(at('stack/members/1'), texts)).entries())
      expect(found).toBeCloseTo((runs[0]![i]! + runs[1]![i]! + runs[2]![i]!) / 3, 6)
    const source = { use: 'jsonl', path: at('train.jsonl') }
    const { examples, scores } = await evaluateRun(at('stack'), { source, searchPaths })
    expect([examples, scores['accuracy']!.value > 0.6]).toEqual([60, true])
  })

  it('rejects cross-validations with different folds, or without one of them', async () => {
    await folds('other', { seed: 4, training: { epochs: 1 } })
    await expect(stack(['a', 'other'], 'x')).rejects.toThrow(/expected cross-validations with the same folds/)
    for (const run of ['a', 'b']) rmSync(at(run, 'folds/2'), { recursive: true })
    await expect(stack(['a', 'b'], 'x')).rejects.toThrow(/expected each of 60 rows[^]*got 40 rows in 2 folds/)
  })
})
