import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { type AnyPlugin, type Augmenter, type Example, key, stream } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { frozen } from './frozen.js'

/** What becomes of an example when `random` gives these numbers, over and over. */
export interface AugmenterCase {
  readonly options?: Readonly<Record<string, unknown>>
  readonly example: Example
  readonly random: readonly number[]
  readonly expected: readonly Example[]
}

/** The numbers, over and over. */
const repeating = (numbers: readonly number[]): (() => number) => {
  let at = 0
  return () => numbers[at++ % numbers.length]!
}

/**
 * The contract of an augmenter: the same examples from the same random numbers and from nothing else that is random; the
 * example it is given stays as it was; whatever the random numbers, it gives examples, each a record; and those of the
 * cases. `examples` are whole rows, with labels; awkward ones (empty texts, one word) belong among them.
 */
export function describeAugmenter(
  plugin: AnyPlugin,
  {
    options = {},
    examples,
    cases = [],
  }: {
    readonly options?: Readonly<Record<string, unknown>>
    readonly examples: readonly Example[]
    readonly cases?: readonly AugmenterCase[]
  },
): void {
  describe(`augmenter ${plugin.name}`, () => {
    const make = (given = options): Augmenter => plugin(given) as Augmenter
    const seeded = (seed: number) => stream(key(seed))
    afterEach(() => void jest.restoreAllMocks())
    describeOptions(plugin, options)

    it('gives the same examples from the same random numbers, in any order, and uses no others', () => {
      jest.spyOn(Math, 'random').mockImplementation(() => {
        throw new Error('Math.random was called; use `random`')
      })
      const augmenter = make()
      const once = examples.map((example, i) => augmenter.augment(example, seeded(i)))
      const backwards = [...examples.entries()].reverse().map(([i, example]) => augmenter.augment(example, seeded(i)))
      expect(backwards.reverse()).toEqual(once)
      expect(examples.map((example, i) => make().augment(example, seeded(i)))).toEqual(once)
    })

    it('leaves the example as it was', () => {
      for (const example of examples)
        for (let seed = 0; seed < 20; seed++) make().augment(frozen(example), seeded(seed))
    })

    it('gives records, whatever the random numbers', () => {
      for (const random of [[0], [1 - 2 ** -24], [0.5], [0, 1 - 2 ** -24]])
        for (const example of examples)
          for (const made of make().augment(example, repeating(random)))
            expect([example, Object.prototype.toString.call(made)]).toEqual([example, '[object Object]'])
    })

    for (const { options: given = options, example, random, expected } of cases)
      it(`makes of ${JSON.stringify(example)} and ${random.join(', ')} what is expected`, () =>
        expect(make(given).augment(example, repeating(random))).toEqual(expected))
  })
}
