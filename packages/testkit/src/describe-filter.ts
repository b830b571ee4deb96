import type { AnyPlugin, Example, Filter } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { frozen } from './frozen.js'
import { describe, expect, it } from './runner.js'

/** Examples in order, and the indices of those that are kept. */
export interface FilterCase {
  readonly options?: Readonly<Record<string, unknown>>
  readonly examples: readonly Example[]
  readonly kept: readonly number[]
}

/**
 * Contract of a filter: returns the same decisions for the same examples in the same order from every fresh state, whatever other
 * states it processed; does not modify the example; returns a reason for each removed example; and matches the expected examples of
 * the cases. `examples` are complete rows; include edge cases (no text, text that is not a string).
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
    const decisions = (filter: Filter, given: readonly Example[]) => {
      let state = filter.init()
      return given.map((example) => {
        const { state: next, ...decision } = filter.add(state, example)
        state = next
        return decision
      })
    }
    describeOptions(plugin, options)

    it('returns the same decisions from every fresh state', () => {
      const filter = make()
      const once = decisions(filter, all)
      expect(decisions(filter, all)).toEqual(once)
      expect(decisions(make(), all)).toEqual(once)
    })

    it('keeps states independent', () => {
      const filter = make()
      const alone = decisions(make(), all)
      let [one, other] = [filter.init(), filter.init()]
      const together = all.map((example, i) => {
        other = filter.add(other, all[all.length - 1 - i]!).state
        const { state, ...decision } = filter.add(one, example)
        one = state
        return decision
      })
      expect(together).toEqual(alone)
    })

    it('does not modify examples', () => {
      const filter = make()
      let state = filter.init()
      for (const example of all) state = filter.add(state, frozen(example)).state
    })

    it('returns a reason for each removed example', () => {
      const left = [options, ...cases.map((each) => each.options ?? options)].flatMap((given) =>
        decisions(make(given), all).filter(({ keep }) => !keep),
      )
      expect(left.filter(({ because = '' }) => because === '')).toEqual([])
    })

    for (const [i, { options: given = options, examples: rows, kept }] of cases.entries())
      it(`keeps ${kept.length} of ${rows.length} examples in case ${i + 1}: ${JSON.stringify(given)}`, () => {
        const keeps = decisions(make(given), rows).map(({ keep }) => keep)
        expect([...keeps.keys()].filter((at) => keeps[at])).toEqual(kept)
      })
  })
}
