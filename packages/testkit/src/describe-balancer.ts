import { type AnyPlugin, type Balanced, type Balancer, key, shuffled, stream } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { itPromises } from './exceptions.js'
import { frozen } from './frozen.js'
import { describe, expect, it } from './runner.js'
import { withoutMathRandom } from './without-math-random.js'

/** Class counts with the expected examples or weights of each class, computed by another library. */
export interface BalancerGolden {
  readonly source: string
  readonly cases: readonly {
    readonly options: Readonly<Record<string, unknown>>
    readonly counts: Readonly<Record<string, number>>
    /** Examples of each class after balancing. */
    readonly expected?: Readonly<Record<string, number>>
    readonly weights?: Readonly<Record<string, number>>
  }[]
}

const COUNTS: readonly Readonly<Record<string, number>>[] = [
  { only: 5 },
  { a: 1, b: 1 },
  { a: 1, b: 3000 },
  { a: 90, b: 9, c: 1 },
  { constructor: 3, toString: 4, '0': 5, 'a class': 6, ['__proto__']: 2 },
  Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`class ${i}`, 1 + ((i * 37) % 31)])),
]

const classesOf = (counts: Readonly<Record<string, number>>): string[] =>
  shuffled(
    Object.entries(counts).flatMap(([name, count]) => new Array<string>(count).fill(name)),
    stream(key(4)),
  )

/** Number of examples and total weight by class. */
function tally(classes: readonly string[], { indices, weights }: Balanced) {
  const counts = new Map<string, { examples: number; weight: number }>()
  const add = (name: string, weight: number): void => {
    const { examples, weight: sum } = counts.get(name) ?? { examples: 0, weight: 0 }
    counts.set(name, { examples: examples + 1, weight: sum + weight })
  }
  for (const [i, index] of indices.entries()) add(classes[index]!, weights?.[i] ?? 1)
  return counts
}

/**
 * Contract of a balancer: returns indices of existing examples, with one finite, non-negative weight each; is deterministic given
 * its random stream, with no other randomness; does not modify the classes; does not lower the fraction of rare classes; and
 * matches another library. A balancer that does not reduce class imbalance states `exceptions: { imbalance: reason }`.
 */
export function describeBalancer(
  plugin: AnyPlugin,
  {
    options = {},
    golden,
    fieldValue = (name) => name,
  }: {
    readonly options?: Readonly<Record<string, unknown>>
    readonly golden?: BalancerGolden
    /** Value of the field for an example of a class, for a balancer that reads something else, such as a weight. Default: the class. */
    readonly fieldValue?: (name: string) => string
  } = {},
): void {
  describe(`balancer ${plugin.name}`, () => {
    const make = (given = options): Balancer => plugin(given) as Balancer
    const balance = (names: readonly string[], seed = 1, given = options, balancer = make(given)): Balanced => {
      const classes = names.map(fieldValue)
      if (Object.isFrozen(names)) Object.freeze(classes)
      return balancer.balance({ classes }, stream(key(seed)))
    }
    describeOptions(plugin, options)

    it('returns indices of examples, and a finite weight for each if it returns weights', () => {
      for (const counts of COUNTS) {
        const classes = classesOf(counts)
        const { indices, weights } = balance(classes)
        expect(indices.filter((i) => !Number.isInteger(i) || i < 0 || i >= classes.length)).toEqual([])
        expect(indices.length).toBeGreaterThan(0)
        expect((weights ?? []).filter((weight) => !Number.isFinite(weight) || weight < 0)).toEqual([])
        expect(weights?.length ?? indices.length).toBe(indices.length)
      }
    })

    it('returns the same result for the same random stream, and uses no other randomness', () =>
      withoutMathRandom(() => {
        const kept = make()
        for (const counts of COUNTS) {
          const classes = classesOf(counts)
          const once = balance(classes)
          for (let again = 0; again < 2; again++) expect(balance(classes, 1, options, kept)).toEqual(once)
        }
      }))

    it('does not modify the classes', () => {
      for (const counts of COUNTS) balance(frozen(classesOf(counts)))
    })

    const imbalance = { kept: 'reduces class imbalance', excused: 'does not reduce class imbalance' }
    itPromises(plugin, 'imbalance', imbalance, (reason) => {
      const classes = classesOf({ a: 90, b: 9, c: 1 })
      const counts = tally(classes, balance(classes))
      const parts = ['a', 'b', 'c'].map((name) => counts.get(name)?.weight ?? 0)
      const spread = Math.max(...parts) / Math.min(...parts)
      expect(spread < 90).toBe(reason === undefined)
    })

    for (const [i, { options: given, counts, expected, weights }] of (golden?.cases ?? []).entries())
      it(`agrees with ${golden!.source}, case ${i + 1}: ${JSON.stringify(given)} of ${JSON.stringify(counts)}`, () => {
        const classes = classesOf(counts)
        const found = tally(classes, balance(classes, 1, given))
        for (const [name, count] of Object.entries(expected ?? {}))
          expect([name, found.get(name)?.examples ?? 0]).toEqual([name, count])
        for (const [name, weight] of Object.entries(weights ?? {})) {
          const { examples, weight: sum } = found.get(name)!
          expect([name, sum / examples]).toEqual([name, expect.closeTo(weight, 9)])
        }
      })
  })
}
