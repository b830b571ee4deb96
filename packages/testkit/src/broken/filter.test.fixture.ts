import { type Example, FILTER, type Filter, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeFilter } from '../describe-filter.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Seen = Set<string>

/** Removes repeated texts. */
const repeats = definePlugin({
  kind: FILTER,
  name: 'repeats',
  summary: 'Removes repeated texts',
  options: z.strictObject({
    shortest: z.int().min(0).max(99).default(1).describe('Minimum length of texts that are compared'),
  }),
  create: ({ shortest }): Filter<Seen> => ({
    init: () => new Set(),
    add(seen, { text }) {
      if (typeof text !== 'string' || text.length < shortest) return { state: seen, keep: true }
      if (seen.has(text)) return { state: seen, keep: false, because: 'repeated' }
      return { state: seen.add(text), keep: true }
    },
  }),
})

const examples: readonly Example[] = [{ text: 'one' }, { text: '' }, { text: 7 }, {}, { text: 'one', label: 'a' }]
const cases = [{ examples: ['a', 'b', 'a', '', ''].map((text) => ({ text })), kept: [0, 1, 3, 4] }]
const suite = (change: (filter: Filter<Seen>) => Filter<Seen>) => (): void =>
  describeFilter(altered<Filter<Seen>>(repeats, change), { examples, cases })

const fresh = 'returns the same decisions from every fresh state'
const apart = 'keeps states independent'
const intact = 'does not modify examples'
const reason = 'returns a reason for each removed example'
const kept = 'keeps 4 of 5 examples in case 1: {}'

/** Shares one state. */
const shared = (filter: Filter<Seen>): Filter<Seen> => {
  const only = filter.init()
  return { ...filter, init: () => only }
}

/** Clears a state when another one is used in between. */
const jealous = (filter: Filter<Seen>): Filter<Seen> => {
  let last: Seen | undefined
  return {
    init: filter.init,
    add(state, example) {
      if (last !== state) state.clear()
      last = state
      return filter.add(state, example)
    },
  }
}

/** Filter specimens. */
export const filters: readonly Specimen[] = [
  valid('repeats', () => describeFilter(repeats, { examples, cases })),
  broken('shares one state', [fresh, apart], suite(shared)),
  broken('has states that affect each other', [apart], suite(jealous)),
  broken(
    'modifies the example',
    [intact],
    suite((filter) => ({
      ...filter,
      add: (state, example) => filter.add(state, Object.assign(example, { seen: true })),
    })),
  ),
  broken(
    'returns no reason',
    [reason],
    suite((filter) => ({
      ...filter,
      add(state, example) {
        const { keep, state: next } = filter.add(state, example)
        return { state: next, keep }
      },
    })),
  ),
  broken(
    'removes an example that is not repeated',
    [kept],
    suite((filter) => ({
      ...filter,
      add: (state, example) =>
        example['text'] === 'b' ? { state, keep: false, because: 'b' } : filter.add(state, example),
    })),
  ),
  broken('accepts any options', uncheckedFails(5), () => describeFilter(unchecked(repeats), { examples, cases })),
]
