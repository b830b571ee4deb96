import { readFileSync } from 'node:fs'
import type { Regularizer } from '@attune/core'
import { embedding, withHook } from '@attune/nn'
import { describeRegularizer, floats, integers, referenceEngine } from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Tensor, ones, scalar, zeros } from '@tensorflow/tfjs-core'
import { cutoff } from './cutoff.js'

describeRegularizer(cutoff, { options: { unit: 'token', ratio: 0.3 } })
describeRegularizer(cutoff, { options: { unit: 'feature', ratio: 0.3 } })
describeRegularizer(cutoff, { options: { unit: 'span', ratio: 0.4 } })

const golden = JSON.parse(readFileSync('golden/scipy-cutoff.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly { strength: number; shape: number[]; first: number[]; second: number[]; expected: number }[]
}

describe('cutoff', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const LENGTHS = [40, 25, 10]
  const [rows, length, width] = [LENGTHS.length, 40, 50]

  /** Runs both passes on embeddings of ones; returns those of the second pass, and the loss. */
  async function passes(regularizer: Regularizer, heads: Tensor[]) {
    const seen: Tensor[] = []
    const loss = regularizer.wrap(({ trainable, batch, hook }) => {
      seen.push(embedding(withHook(trainable, hook), 'words', (batch.inputs as never)['inputIds']))
      return { sum: scalar(0), weight: scalar(rows), head: heads[seen.length - 1]! }
    })
    const mask = LENGTHS.flatMap((own) => Array.from({ length }, (_, i) => Number(i < own)))
    const inputs = engine.put({
      inputIds: integers(
        mask.map(() => 0),
        [rows, length],
      ),
      attentionMask: integers(mask, [rows, length]),
    })
    const mode = { training: true, key: { seed: engine.put(integers([7, 0], [2])) as Tensor, stream: 0 } }
    const { sum } = loss({
      trainable: { 'words.weight': ones([1, width]) },
      frozen: {},
      batch: { inputs },
      mode,
    } as never)
    const values = [...(await engine.read(seen[1]!)).values].map(Number)
    return { values, loss: Number((await engine.read(sum)).values[0]) / rows }
  }
  const equal = (): Tensor[] => [zeros([rows, 2]), zeros([rows, 2])]

  it('erases a run of the given fraction of each text', async () => {
    const { values } = await passes(cutoff({ unit: 'span', ratio: 0.2 }), equal())
    LENGTHS.forEach((own, row) => {
      const kept = Array.from({ length: own }, (_, i) => values[(row * length + i) * width]!).join('')
      expect(kept).toMatch(new RegExp(`^1*0{${own / 5}}1*$`))
    })
  })

  it.each(['token', 'feature'] as const)('erases about the given fraction, by %s', async (unit) => {
    const { values } = await passes(cutoff({ unit, ratio: 0.3 }), equal())
    const fraction = values.filter((value) => value === 0).length / values.length
    expect(Math.abs(fraction - 0.3)).toBeLessThan(0.12)
    const at = (row: number, position: number, feature: number): number =>
      values[(row * length + position) * width + feature]!
    const along = unit === 'token' ? (i: number) => at(0, 3, i) : (i: number) => at(0, i, 3)
    expect(new Set(Array.from({ length: 40 }, (_, i) => along(i))).size).toBe(1)
  })

  it.each(golden.cases)(`agrees with ${golden.source} at strength $strength`, async (given) => {
    const heads = [given.first, given.second].map((values) => engine.put(floats(values, given.shape)) as Tensor)
    const { loss } = await passes(cutoff({ strength: given.strength }), heads)
    expect(loss).toBeCloseTo(given.expected, 5)
  })
})
