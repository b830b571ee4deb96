import { readFileSync } from 'node:fs'
import { describeRegularizer, floats, integers, referenceEngine } from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Tensor, scalar } from '@tensorflow/tfjs-core'
import { rDrop } from './r-drop.js'

describeRegularizer(rDrop, { options: { strength: 0.7 } })

const golden = JSON.parse(readFileSync('golden/torch-r-drop.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly { strength: number; shape: number[]; first: number[]; second: number[]; expected: number }[]
}

describe('r-drop', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const mode = () => ({ training: true, key: { seed: engine.put(integers([7, 0], [2])) as Tensor, stream: 0 } })

  it.each(golden.cases)(`agrees with ${golden.source} at strength $strength`, async (given) => {
    const heads = [given.first, given.second].map((values) => engine.put(floats(values, given.shape)) as Tensor)
    const rows = given.shape[0]!
    const loss = rDrop({ strength: given.strength }).wrap(() => ({
      sum: scalar(rows),
      weight: scalar(rows),
      head: heads.shift()!,
    }))
    const { sum } = loss({ mode: mode() } as never)
    expect(Number((await engine.read(sum)).values[0]) / rows).toBeCloseTo(given.expected, 5)
  })

  it.each([
    ['logits per token', [2, 3, 4]],
    ['a single number', [2, 1]],
  ])('rejects a head that returns %s', (_, shape) => {
    const head = engine.put(floats(new Array<number>(shape.reduce((a, b) => a * b)).fill(0), shape)) as Tensor
    const loss = rDrop().wrap(() => ({ sum: scalar(1), weight: scalar(1), head }))
    expect(() => loss({ mode: mode() } as never)).toThrow(
      expect.objectContaining({
        code: 'REGULARIZER_MISMATCH',
        problem: expect.stringContaining(`[${shape.join(', ')}]`),
      }),
    )
  })
})
