import { METRIC, type Metric, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeMetric } from '../describe-metric.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

interface Counts {
  readonly right: number
  readonly count: number
}
type Accuracy = Metric<string, string, Counts>

/** Fraction of predictions that equal their reference. */
const accuracy = definePlugin({
  kind: METRIC,
  name: 'accuracy',
  summary: 'Fraction of correct predictions',
  options: z.strictObject({ times: z.number().min(1).default(1).describe('Factor of the fraction') }),
  create: ({ times }): Accuracy => ({
    name: 'accuracy',
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
const suite = (change: (accuracy: Accuracy) => unknown) => (): void =>
  describeMetric(altered<Accuracy>(accuracy, change), { golden })

const agrees = 'agrees with arithmetic'
const order = 'does not depend on the order of examples'
const batches = 'does not depend on the division into batches'
const merges = 'has an associative merge, with init() as identity'
const intact = 'does not modify predictions and references'
const survives = 'has a state that survives JSON and is never modified'

/** Merges to the mean of the two scores, regardless of the number of examples. */
const meanOfMeans: Accuracy['merge'] = (a, b) => {
  const mean = [a, b].filter(({ count }) => count > 0).map(({ right, count }) => right / count)
  return { right: mean.reduce((sum, fraction) => sum + fraction, 0), count: mean.length }
}

/** Keeps counts in a Map, which JSON loses. */
const mapped = (sane: Accuracy): Metric<string, string, ReadonlyMap<string, number>> => {
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

/** Metric specimens. */
export const metrics: readonly Specimen[] = [
  valid('accuracy', () => describeMetric(accuracy, { golden })),
  broken(
    'declares a range that is too narrow',
    ['returns a value within its range'],
    suite((sane) => ({ ...sane, range: [0, 0.2] })),
  ),
  broken(
    'counts only the last prediction',
    [agrees, order, batches, merges, survives, intact],
    suite((sane) => ({
      ...sane,
      add: (_: Counts, p: string[], r: string[]) => sane.add(sane.init(), p.slice(-1), r.slice(-1)),
    })),
  ),
  broken(
    'replaces the state with each batch',
    [batches],
    suite((sane) => ({ ...sane, add: (_: Counts, p: string[], r: string[]) => sane.add(sane.init(), p, r) })),
  ),
  broken(
    'merges to the mean of the means',
    [merges, survives],
    suite((sane) => ({ ...sane, merge: meanOfMeans })),
  ),
  broken(
    'discards the second state in merge',
    [merges, survives],
    suite((sane) => ({ ...sane, merge: (a: Counts) => a })),
  ),
  broken(
    'counts one more example in each merge',
    [merges, survives],
    suite((sane) => ({
      ...sane,
      merge: (a: Counts, b: Counts) => sane.merge(a, sane.merge(b, { right: 1, count: 1 })),
    })),
  ),
  broken('keeps its counts in a Map', [survives], suite(mapped)),
  broken(
    'modifies the state in add',
    [survives],
    suite((sane) => ({
      ...sane,
      add: (state: Counts, p: string[], r: string[]) => Object.assign(state, sane.add(state, p, r)),
    })),
  ),
  broken(
    'modifies the first state in merge',
    [survives],
    suite((sane) => ({ ...sane, merge: (a: Counts, b: Counts) => Object.assign(a, sane.merge(a, b)) })),
  ),
  broken(
    'modifies the second state in merge',
    [survives],
    suite((sane) => ({ ...sane, merge: (a: Counts, b: Counts) => Object.assign(b, sane.merge(a, b)) })),
  ),
  broken(
    'modifies the state in result',
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
    'differs from the golden file',
    [agrees, order, batches, merges, survives, intact],
    suite((sane) => ({ ...sane, result: ({ right, count }: Counts) => ({ value: right / (count + 1) }) })),
  ),
  broken('accepts any options', uncheckedFails(3), () => describeMetric(unchecked(accuracy), { golden })),
]
