import { METRIC, type Metric, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeMetric } from '../describe-metric.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

interface Counts {
  readonly right: number
  readonly count: number
}
type Hits = Metric<string, string, Counts>

/** The share of predictions that are their reference. */
const hits = definePlugin({
  kind: METRIC,
  name: 'hits',
  summary: 'Share of predictions that are right',
  options: z.strictObject({ times: z.number().min(1).default(1).describe('What the share is multiplied by') }),
  create: ({ times }): Hits => ({
    name: 'hits',
    compares: 'label',
    direction: 'maximize',
    range: [0, times],
    init: () => ({ right: 0, count: 0 }),
    add: ({ right, count }, predictions, references) => ({
      right: right + predictions.filter((prediction, i) => prediction === references[i]).length,
      count: count + predictions.length,
    }),
    merge: (a, b) => ({ right: a.right + b.right, count: a.count + b.count }),
    result: ({ right, count }) => ({ value: (times * right) / Math.max(1, count) }),
  }),
})

const golden = {
  source: 'arithmetic',
  cases: [
    {
      options: {},
      predictions: ['c', 'b', 'a', 'c', 'b', 'b', 'a', 'a'],
      references: ['a', 'b', 'b', 'c', 'a', 'c', 'b', 'a'],
      expected: { value: 3 / 8 },
    },
  ],
}
const suite = (change: (hits: Hits) => unknown) => (): void => describeMetric(altered<Hits>(hits, change), { golden })

const agrees = 'agrees with arithmetic'
const order = 'does not depend on the order of examples'
const batches = 'does not depend on the division into batches'
const merges = 'merges: associative, and with init() neutral'
const intact = 'leaves predictions and references as they were'
const survives = 'has a state that survives JSON and is never changed'

/** The score of the merged is the mean of the two, however many examples each had. */
const meanOfMeans: Hits['merge'] = (a, b) => {
  const mean = [a, b].filter(({ count }) => count > 0).map(({ right, count }) => right / count)
  return { right: mean.reduce((sum, share) => sum + share, 0), count: mean.length }
}

/** Counts in an object that JSON does not know. */
const mapped = (sane: Hits): Metric<string, string, ReadonlyMap<string, number>> => {
  const from = (state: ReadonlyMap<string, number>): Counts => ({
    right: state.get('right') ?? 0,
    count: state.get('count') ?? 0,
  })
  const to = (counts: Counts): ReadonlyMap<string, number> => new Map(Object.entries(counts))
  return {
    ...sane,
    init: () => to(sane.init()),
    add: (state, predictions, references) => to(sane.add(from(state), predictions, references)),
    merge: (a, b) => to(sane.merge(from(a), from(b))),
    result: (state) => sane.result(from(state)),
  }
}

/** Metrics. */
export const metrics: readonly Specimen[] = [
  sound('hits', () => describeMetric(hits, { golden })),
  broken(
    'a range that is too narrow',
    ['is within its range'],
    suite((sane) => ({ ...sane, range: [0, 0.2] })),
  ),
  broken(
    'the last prediction alone counts',
    [agrees, order, batches, merges, survives, intact],
    suite((sane) => ({
      ...sane,
      add: (_: Counts, p: string[], r: string[]) => sane.add(sane.init(), p.slice(-1), r.slice(-1)),
    })),
  ),
  broken(
    'a batch replaces those before it',
    [batches],
    suite((sane) => ({ ...sane, add: (_: Counts, p: string[], r: string[]) => sane.add(sane.init(), p, r) })),
  ),
  broken(
    'the mean of the means of what is merged',
    [merges, survives],
    suite((sane) => ({ ...sane, merge: meanOfMeans })),
  ),
  broken(
    'forgets the second of what is merged',
    [merges, survives],
    suite((sane) => ({ ...sane, merge: (a: Counts) => a })),
  ),
  broken(
    'counts one more with each merger',
    [merges, survives],
    suite((sane) => ({
      ...sane,
      merge: (a: Counts, b: Counts) => sane.merge(a, sane.merge(b, { right: 1, count: 1 })),
    })),
  ),
  broken('keeps its counts in a map', [survives], suite(mapped)),
  broken(
    'adds to the state that it is given',
    [survives],
    suite((sane) => ({
      ...sane,
      add: (state: Counts, p: string[], r: string[]) => Object.assign(state, sane.add(state, p, r)),
    })),
  ),
  broken(
    'merges into the first',
    [survives],
    suite((sane) => ({ ...sane, merge: (a: Counts, b: Counts) => Object.assign(a, sane.merge(a, b)) })),
  ),
  broken(
    'merges into the second',
    [survives],
    suite((sane) => ({ ...sane, merge: (a: Counts, b: Counts) => Object.assign(b, sane.merge(a, b)) })),
  ),
  broken(
    'works the result into the state',
    [survives],
    suite((sane) => ({ ...sane, result: (state: Counts) => sane.result(Object.assign(state, { done: true })) })),
  ),
  broken(
    'sorts the predictions in place',
    [intact],
    suite((sane) => ({
      ...sane,
      add: (state: Counts, p: string[], r: string[]) => [sane.add(state, p, r), p.sort()][0],
    })),
  ),
  broken(
    'is not what the golden file says',
    [agrees, order, batches, merges, survives, intact],
    suite((sane) => ({ ...sane, result: ({ right, count }: Counts) => ({ value: right / (count + 1) }) })),
  ),
  broken('any options will do', uncheckedFails(3), () => describeMetric(unchecked(hits), { golden })),
]
