import { describe, expect, it } from '@jest/globals'
import type { AnyPlugin, Example, Filter } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { frozen } from './frozen.js'

/** Examples in order, and those of them that are kept, by index. */
export interface FilterCase {
  readonly options?: Readonly<Record<string, unknown>>
  readonly examples: readonly Example[]
  readonly kept: readonly number[]
}

/**
 * The contract of a filter: the same fate for the same examples in the same order, from each fresh state, whatever other states
 * went through it; the example stays as it was; a reason for each example that is left out; and the expected examples of the cases.
 * `examples` are whole rows; awkward ones (no text, text that is not a string) belong among them.
 */
export function describeFilter(
  plugin: AnyPlugin,
  {
    options = {},
    examples,
    cases,
  }: {
    readonly options?: Readonly<Record<string, unknown>>
    readonly examples: readonly Example[]
    readonly cases: readonly FilterCase[]
  },
): void {
  describe(`filter ${plugin.name}`, () => {
    const make = (given = options): Filter => plugin(given) as Filter
    const all = [...examples, ...cases.flatMap((each) => each.examples), ...examples]
    const fates = (filter: Filter, given: readonly Example[]) => {
      let state = filter.init()
      return given.map((example) => {
        const { state: next, ...fate } = filter.add(state, example)
        state = next
        return fate
      })
    }
    describeOptions(plugin, options)

    it('decides the same from each fresh state', () => {
      const filter = make()
      const once = fates(filter, all)
      expect(fates(filter, all)).toEqual(once)
      expect(fates(make(), all)).toEqual(once)
    })

    it('keeps states apart', () => {
      const filter = make()
      const alone = fates(make(), all)
      let [one, other] = [filter.init(), filter.init()]
      const together = all.map((example, i) => {
        other = filter.add(other, all[all.length - 1 - i]!).state
        const { state, ...fate } = filter.add(one, example)
        one = state
        return fate
      })
      expect(together).toEqual(alone)
    })

    it('leaves examples as they were', () => {
      const filter = make()
      let state = filter.init()
      for (const example of all) state = filter.add(state, frozen(example)).state
    })

    it('gives a reason for each example that it leaves out', () => {
      const left = [options, ...cases.map((each) => each.options ?? options)].flatMap((given) =>
        fates(make(given), all).filter(({ keep }) => !keep),
      )
      expect(left.filter(({ because = '' }) => because === '')).toEqual([])
    })

    for (const [i, { options: given = options, examples: rows, kept }] of cases.entries())
      it(`keeps ${kept.length} of ${rows.length} examples in case ${i + 1}: ${JSON.stringify(given)}`, () => {
        const keeps = fates(make(given), rows).map(({ keep }) => keep)
        expect([...keeps.keys()].filter((at) => keeps[at])).toEqual(kept)
      })
  })
}
