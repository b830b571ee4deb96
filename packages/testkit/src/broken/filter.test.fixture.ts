import { type Example, FILTER, type Filter, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeFilter } from '../describe-filter.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Seen = Set<string>

/** Leaves out texts that came before. */
const repeats = definePlugin({
  kind: FILTER,
  name: 'repeats',
  summary: 'Leaves out texts that came before',
  options: z.strictObject({
    shortest: z.int().min(0).max(99).default(1).describe('Length from which texts are compared'),
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

const fresh = 'decides the same from each fresh state'
const apart = 'keeps states apart'
const intact = 'leaves examples as they were'
const reason = 'gives a reason for each example that it leaves out'
const kept = 'keeps 4 of 5 examples in case 1: {}'

/** One state for all. */
const shared = (filter: Filter<Seen>): Filter<Seen> => {
  const only = filter.init()
  return { ...filter, init: () => only }
}

/** Forgets what it has seen where another state comes by. */
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

/** Filters. */
export const filters: readonly Specimen[] = [
  sound('repeats', () => describeFilter(repeats, { examples, cases })),
  broken('one state for all', [fresh, apart], suite(shared)),
  broken('states that disturb each other', [apart], suite(jealous)),
  broken(
    'writes into the example',
    [intact],
    suite((filter) => ({
      ...filter,
      add: (state, example) => filter.add(state, Object.assign(example, { seen: true })),
    })),
  ),
  broken(
    'no reason',
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
    'leaves out what came once',
    [kept],
    suite((filter) => ({
      ...filter,
      add: (state, example) =>
        example['text'] === 'b' ? { state, keep: false, because: 'b' } : filter.add(state, example),
    })),
  ),
  broken('any options will do', uncheckedFails(5), () => describeFilter(unchecked(repeats), { examples, cases })),
]
