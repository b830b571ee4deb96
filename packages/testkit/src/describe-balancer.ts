import { describe, expect, it } from '@jest/globals'
import type { AnyPlugin, Balancer } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { frozen } from './frozen.js'

/** Examples by class, and the weight and repetition of each that another library, or arithmetic, gives. */
export interface BalancerGolden {
  readonly source: string
  readonly cases: readonly {
    readonly options: Readonly<Record<string, unknown>>
    readonly counts: Readonly<Record<string, number>>
    readonly expected: Readonly<Record<string, { readonly weight?: number; readonly repeat?: number }>>
  }[]
}

const COUNTS: readonly Readonly<Record<string, number>>[] = [
  { only: 5 },
  { a: 1, b: 1 },
  { a: 1, b: 1_000_000 },
  { a: 90, b: 9, c: 1 },
  { constructor: 3, toString: 4, '0': 5, 'a class': 6 },
  Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`class ${i}`, 1 + ((i * 37) % 101)])),
]

/**
 * The contract of a balancer: a positive, finite weight and repetition for each class and for no other; the same for the
 * same counts in any order, which stay as they were; and the numbers that another library gives. One that gives rare
 * classes no greater part (`weight · repeat`) says so under `exceptions: { rare: reason }` of its manifest.
 */
export function describeBalancer(
  plugin: AnyPlugin,
  {
    options = {},
    golden,
  }: { readonly options?: Readonly<Record<string, unknown>>; readonly golden?: BalancerGolden } = {},
): void {
  describe(`balancer ${plugin.name}`, () => {
    const make = (given = options): Balancer => plugin(given) as Balancer
    describeOptions(plugin, options)

    it('gives each class, and no other, a positive weight and repetition', () => {
      for (const counts of COUNTS) {
        const balanced = make().balance(counts)
        expect(Object.keys(balanced).sort()).toEqual(Object.keys(counts).sort())
        const wrong = Object.entries(balanced).filter(
          ([, { weight, repeat }]) => ![weight, repeat].every((n) => n > 0 && Number.isFinite(n)),
        )
        expect(wrong).toEqual([])
      }
    })

    it('gives the same for the same counts in any order, and leaves them as they were', () => {
      for (const counts of COUNTS) {
        const turned = Object.fromEntries(Object.entries(counts).reverse())
        const balanced = make().balance(frozen(counts))
        for (const [name, { weight, repeat }] of Object.entries(make().balance(turned)))
          expect([name, weight, repeat]).toEqual([
            name,
            expect.closeTo(balanced[name]!.weight, 9),
            expect.closeTo(balanced[name]!.repeat, 9),
          ])
      }
    })

    const excused = plugin.exceptions?.['rare']
    it(excused === undefined ? 'gives a rarer class the greater part' : `evens nothing out: ${excused}`, () => {
      const { a, b, c } = make().balance({ a: 90, b: 9, c: 1 })
      const parts = [a, b, c].map((each) => each!.weight * each!.repeat)
      expect(parts[0]! < parts[1]! && parts[1]! < parts[2]!).toBe(excused === undefined)
    })

    for (const [i, { options: given, counts, expected }] of (golden?.cases ?? []).entries())
      it(`agrees with ${golden!.source}, case ${i + 1}: ${JSON.stringify(given)}`, () => {
        const balanced = make(given).balance(counts)
        for (const [name, numbers] of Object.entries(expected))
          for (const [field, value] of Object.entries(numbers))
            expect([name, field, balanced[name]![field as 'weight']]).toEqual([name, field, expect.closeTo(value, 6)])
      })
  })
}
