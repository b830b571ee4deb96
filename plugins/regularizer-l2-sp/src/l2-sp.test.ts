import { readFileSync } from 'node:fs'
import type { HostArray, Params } from '@attune/core'
import { describeRegularizer, floats, referenceEngine } from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { scalar } from '@tensorflow/tfjs-core'
import { l2Sp } from './l2-sp.js'

describeRegularizer(l2Sp, { options: { strength: 0.1 } })

interface Arrays {
  readonly [name: string]: { readonly shape: readonly number[]; readonly values: readonly number[] }
}
const golden = JSON.parse(readFileSync('golden/torch-l2-sp.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly {
    options: { strength: number; all?: boolean }
    start: Arrays
    parameters: Arrays
    expected: number
  }[]
}

describe('l2-sp', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const put = (arrays: Arrays): Params =>
    engine.put(
      Object.fromEntries(Object.entries(arrays).map(([name, { values, shape }]) => [name, floats(values, shape)])),
    ) as Params

  const penaltyOf = async (options: Parameters<typeof l2Sp>[0], start: Arrays, parameters: Arrays): Promise<number> => {
    const regularizer = l2Sp(options)
    const constants = await regularizer.prepare!({} as never, put(start))
    const loss = regularizer.wrap(() => ({ sum: scalar(0), weight: scalar(4) }))
    const { sum } = engine.compile((trainable: Params) => loss({ trainable, constants } as never))(put(parameters))
    return ((await engine.read(sum)) as HostArray).values[0]! / 4
  }

  it('sums over the parameters that match `only`', async () => {
    const at = (a: number[], b: number[]) => ({
      'a.weight': { shape: [2, 1], values: a },
      'b.weight': { shape: [1, 1], values: b },
    })
    expect(await penaltyOf({ strength: 3, only: '!b.*' }, at([1, 1], [0]), at([3, 0], [9]))).toBeCloseTo(7.5, 5)
  })

  it.each(golden.cases)(`agrees with ${golden.source}: $options`, async ({ options, start, parameters, expected }) => {
    expect(await penaltyOf(options, start, parameters)).toBeCloseTo(expected, 5)
  })
})
