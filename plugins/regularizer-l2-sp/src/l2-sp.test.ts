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

  it.each(golden.cases)(`agrees with ${golden.source}: $options`, async ({ options, start, parameters, expected }) => {
    const regularizer = l2Sp(options)
    const constants = await regularizer.prepare!({} as never, put(start))
    const loss = regularizer.wrap(() => ({ sum: scalar(0), weight: scalar(4) }))
    const { sum } = engine.compile((trainable: Params) => loss({ trainable, constants } as never))(put(parameters))
    expect(((await engine.read(sum)) as HostArray).values[0]! / 4).toBeCloseTo(expected, 5)
  })
})
