import { type AnyPlugin, type SampledData, type Sampler, key, stream } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { itPromises } from './exceptions.js'
import { describe, expect, it } from './runner.js'
import { withoutMathRandom } from './without-math-random.js'

/** Dataset statistics for a sampler: examples of different lengths and groups. */
const dataOf = (count: number, batchSize: number): SampledData => ({
  count,
  batchSize,
  group: (index) => ['common', 'common', 'common', 'rare'][index % 4]!,
  length: (index) => 1 + ((index * index * 31) % 97),
})

const DATA = [dataOf(1, 4), dataOf(7, 4), dataOf(64, 8), dataOf(501, 3)]
const EPOCHS = [0, 1, 2, 5]

/** Exceeds the length of any valid order of so few examples. */
const MAX_INDICES = 1_000_000

/**
 * Contract of a sampler: returns indices of existing examples; a finite order of the same length in every epoch; is deterministic
 * given its random stream, with no other randomness. A sampler that omits or repeats examples of an epoch states
 * `exceptions: { complete: reason }` in its manifest.
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
        if (order.length > MAX_INDICES)
          throw new Error(`expected a finite order of ${data.count} examples, got ${MAX_INDICES} indices`)
      }
      return order
    }
    describeOptions(plugin, options)

    it('returns indices of examples, at least one', () => {
      for (const data of DATA)
        for (const epoch of EPOCHS) {
          const order = orderOf(epoch, data)
          expect(order.length).toBeGreaterThan(0)
          expect(order.filter((i) => !Number.isInteger(i) || i < 0 || i >= data.count)).toEqual([])
        }
    })

    it('returns the same number of indices in every epoch', () => {
      for (const data of DATA) expect(new Set(EPOCHS.map((epoch) => orderOf(epoch, data).length)).size).toBe(1)
    })

    it('returns the same order for the same random stream, and uses no other randomness', () =>
      withoutMathRandom(() => {
        const kept = make()
        for (const data of DATA)
          for (const epoch of [...EPOCHS, ...EPOCHS]) expect(orderOf(epoch, data, kept)).toEqual(orderOf(epoch, data))
      }))

    itPromises(
      plugin,
      'complete',
      { kept: 'returns every example once', excused: 'does not return every example once' },
      (reason) => {
        const isComplete = DATA.map((data) => {
          const sorted = orderOf(0, data).sort((a, b) => a - b)
          return sorted.length === data.count && sorted.every((index, i) => index === i)
        })
        expect(isComplete.every(Boolean)).toBe(reason === undefined)
      },
    )
  })
}
