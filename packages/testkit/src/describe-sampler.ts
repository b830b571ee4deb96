import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { type AnyPlugin, type SampledData, type Sampler, key, stream } from '@attune/core'
import { describeOptions } from './describe-options.js'

/** An order as a batch-forming sampler reads it: examples of lengths and groups that differ. */
const dataOf = (count: number, batchSize: number): SampledData => ({
  count,
  batchSize,
  group: (index) => ['common', 'common', 'common', 'rare'][index % 4]!,
  length: (index) => 1 + ((index * index * 31) % 97),
})

const DATA = [dataOf(1, 4), dataOf(7, 4), dataOf(64, 8), dataOf(501, 3)]
const EPOCHS = [0, 1, 2, 5]

/** More indices than any order of so few examples has. */
const MOST = 1_000_000

/**
 * The contract of a sampler: indices of examples that there are; an order that ends, and is of the same length in every epoch; the
 * same from the same random numbers, and from no others. One that leaves examples out of an epoch, or repeats them, says so under
 * `exceptions: { complete: reason }` of its manifest.
 */
export function describeSampler(
  plugin: AnyPlugin,
  { options = {} }: { readonly options?: Readonly<Record<string, unknown>> } = {},
): void {
  describe(`sampler ${plugin.name}`, () => {
    const make = (): Sampler => plugin(options) as Sampler
    const orderOf = (epoch: number, data: SampledData, sampler = make()): number[] => {
      const order: number[] = []
      for (const index of sampler.order(epoch, data, stream(key(epoch)))) {
        order.push(index)
        if (order.length > MOST) throw new Error(`an order of ${data.count} examples must end, got ${MOST} indices`)
      }
      return order
    }
    const complete = plugin.exceptions?.['complete']
    afterEach(() => void jest.restoreAllMocks())
    describeOptions(plugin, options)

    it('returns indices of examples, at least one', () => {
      for (const data of DATA)
        for (const epoch of EPOCHS) {
          const order = orderOf(epoch, data)
          expect(order.length).toBeGreaterThan(0)
          expect(order.filter((i) => !Number.isInteger(i) || i < 0 || i >= data.count)).toEqual([])
        }
    })

    it('returns as many in every epoch', () => {
      for (const data of DATA) expect(new Set(EPOCHS.map((epoch) => orderOf(epoch, data).length)).size).toBe(1)
    })

    it('returns the same order from the same random numbers, and uses no others', () => {
      jest.spyOn(Math, 'random').mockImplementation(() => {
        throw new Error('Math.random was called; use `random`')
      })
      const kept = make()
      for (const data of DATA)
        for (const epoch of [...EPOCHS, ...EPOCHS]) expect(orderOf(epoch, data, kept)).toEqual(orderOf(epoch, data))
    })

    it(
      complete === undefined ? 'returns every example once' : `does not return every example once: ${complete}`,
      () => {
        const isComplete = DATA.map((data) => {
          const sorted = orderOf(0, data).sort((a, b) => a - b)
          return sorted.length === data.count && sorted.every((index, i) => index === i)
        })
        expect(isComplete.every(Boolean)).toBe(complete === undefined)
      },
    )
  })
}
