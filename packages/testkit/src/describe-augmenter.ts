import { type AnyPlugin, type Augmenter, type Example, key, stream } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { frozen } from './frozen.js'
import { describe, expect, it } from './runner.js'
import { withoutMathRandom } from './without-math-random.js'

/** Expected examples for random numbers that repeat `random`. */
export interface AugmenterCase {
  readonly options?: Readonly<Record<string, unknown>>
  readonly example: Example
  readonly random: readonly number[]
  readonly expected: readonly Example[]
}

/** Random source that repeats the numbers. */
const repeating = (numbers: readonly number[]): (() => number) => {
  let at = 0
  return () => numbers[at++ % numbers.length]!
}

/**
 * Contract of an augmenter: deterministic given its random stream, with no other randomness; does not modify the example; returns
 * examples, each a record, for any random numbers; and returns the expected examples of `cases`. `examples` are complete rows with
 * labels; include edge cases (empty texts, single words).
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
    describeOptions(plugin, options)

    it('returns the same examples for the same random stream, in any order, and uses no other randomness', () =>
      withoutMathRandom(() => {
        const augmenter = make()
        const once = examples.map((example, i) => augmenter.augment(example, seeded(i)))
        const backwards = [...examples.entries()].reverse().map(([i, example]) => augmenter.augment(example, seeded(i)))
        expect(backwards.reverse()).toEqual(once)
        expect(examples.map((example, i) => make().augment(example, seeded(i)))).toEqual(once)
      }))

    it('does not modify the example', () => {
      for (const example of examples)
        for (let seed = 0; seed < 20; seed++) make().augment(frozen(example), seeded(seed))
    })

    it('returns records for any random numbers', () => {
      for (const random of [[0], [1 - 2 ** -24], [0.5], [0, 1 - 2 ** -24]])
        for (const example of examples)
          for (const made of make().augment(example, repeating(random)))
            expect([example, Object.prototype.toString.call(made)]).toEqual([example, '[object Object]'])
    })

    for (const { options: given = options, example, random, expected } of cases)
      it(`returns the expected examples for ${JSON.stringify(example)} and ${random.join(', ')}`, () =>
        expect(make(given).augment(example, repeating(random))).toEqual(expected))
  })
}
