import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type AnyPlugin, type Params, type Regularizer, key, normals, stream } from '@attune/core'
import { type Scalar, type Tensor, add, addN, mul, sum, tensor } from '@tensorflow/tfjs-core'
import { describeOptions } from './describe-options.js'
import { expectClose } from './expect-close.js'
import { gradientsOf } from './gradients-of.js'
import { floats } from './host-array.js'
import { referenceEngine } from './reference-engine.js'

/** Parameters and the term that another library, or arithmetic, gives for them. */
export interface RegularizerGolden {
  readonly source: string
  readonly cases: readonly {
    readonly options: Readonly<Record<string, unknown>>
    readonly parameters: Readonly<
      Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
    >
    readonly expected: number
  }[]
}

const PARAMETERS = { 'a.weight': floats([1, -2, 3, -4, 5, -6], [2, 3]), 'a.bias': floats([0.5, -0.5, 0.25]) }
const DIFFERENCE = 0.01

/**
 * The contract of a regularizer: a finite scalar, the same for the same parameters, which are left as they were; a
 * gradient that finite differences confirm; nothing left in memory; and the term that another library gives.
 */
export function describeRegularizer(
  plugin: AnyPlugin,
  {
    options = {},
    golden,
  }: { readonly options?: Readonly<Record<string, unknown>>; readonly golden?: RegularizerGolden } = {},
): void {
  describe(`regularizer ${plugin.name}`, () => {
    const engine = referenceEngine()
    const termOf = (given: Readonly<Record<string, unknown>>) => {
      const term = engine.compile(plugin(given) as Regularizer)
      return async (params: Params): Promise<number> => {
        const result = term(params)
        expect(result.shape).toEqual([])
        const { values } = await engine.read<Tensor>(result)
        engine.release(result)
        return values[0]!
      }
    }
    beforeAll(() => engine.start())
    afterAll(() => engine.close())
    describeOptions(plugin, options)

    it('is a finite scalar, the same for the same parameters, and leaves nothing behind', async () => {
      const params = engine.put(PARAMETERS)
      const term = termOf(options)
      const before = engine.live()
      const once = await term(params)
      expect(Number.isFinite(once)).toBe(true)
      expect(await term(params)).toBe(once)
      expect(engine.live()).toBe(before)
      expectClose(await engine.read(params), PARAMETERS, 0)
    })

    it('has the gradient that finite differences find', async () => {
      const params = engine.put(PARAMETERS) as Params
      // TF.js refuses to differentiate by what a function does not read, and a term need not read every parameter.
      const reading = (q: Params): Scalar =>
        add((plugin(options) as Regularizer)(q), mul(0, addN(Object.values(q).map((p) => sum(p)))))
      const gradients = engine.compile((p: Params) => gradientsOf(reading, p))
      const found = await engine.read(gradients(params))
      const term = termOf(options)
      for (const [name, { shape, values }] of Object.entries(PARAMETERS)) {
        const next = normals(stream(key(3)))
        const way = values.map(() => next())
        const at = (by: number): Promise<number> =>
          term({
            ...params,
            [name]: tensor(
              Float32Array.from(values, (x, i) => x + by * way[i]!),
              [...shape],
            ),
          })
        const slope = [...way].reduce((sum, d, i) => sum + d * found[name]!.values[i]!, 0)
        const measured = ((await at(DIFFERENCE)) - (await at(-DIFFERENCE))) / (2 * DIFFERENCE)
        expect(Math.abs(measured - slope)).toBeLessThan(0.01 * Math.abs(slope) + 1e-3)
      }
    })

    for (const [i, { options: given, parameters, expected }] of (golden?.cases ?? []).entries())
      it(`agrees with ${golden!.source}, case ${i + 1}: ${JSON.stringify(given)}`, async () => {
        const arrays = Object.entries(parameters).map(([name, { values, shape }]) => [name, floats(values, shape)])
        const value = await termOf(given)(engine.put(Object.fromEntries(arrays) as typeof PARAMETERS))
        expect(Math.abs(value - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)))
      })
  })
}
