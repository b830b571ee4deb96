import { type AnyPlugin, type Metric, type Score, key, shuffled, stream } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { frozen } from './frozen.js'
import { describe, expect, it } from './runner.js'

/** Predictions, references, and the score computed by another library. */
export interface MetricGolden {
  readonly source: string
  readonly cases: readonly {
    readonly options: Readonly<Record<string, unknown>>
    readonly predictions: readonly unknown[]
    readonly references: readonly unknown[]
    readonly expected: Score
  }[]
}

const overJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

function expectScore(actual: Score, expected: Score): void {
  expect(actual.value).toBeCloseTo(expected.value, 6)
  for (const [part, numbers] of Object.entries(expected.parts ?? {}))
    for (const [name, value] of Object.entries(numbers))
      expect([part, name, actual.parts?.[part]?.[name]]).toEqual([part, name, expect.closeTo(value, 6)])
}

/**
 * Contract of a metric, tested on the golden file: the score does not depend on the order of examples or their division into
 * batches; `merge` is associative with `init()` as identity; the state survives JSON; state, predictions and references are not
 * modified; the value is within the declared range and matches another library.
 *
 * @example
 * ```ts no-run
 * import accuracy from '@attune/metric-accuracy'
 * import { describeMetric } from '@attune/testkit'
 * const case1 = { options: {}, predictions: ['x', 'y'], references: ['x', 'x'], expected: { value: 0.5 } }
 * describeMetric(accuracy, { golden: { source: 'by hand', cases: [case1] } })
 * ```
 */
export function describeMetric(plugin: AnyPlugin, { golden }: { readonly golden: MetricGolden }): void {
  describe(`metric ${plugin.name}`, () => {
    describeOptions(plugin)

    for (const [i, { options, predictions, references, expected }] of golden.cases.entries())
      describe(`case ${i + 1}: ${JSON.stringify(options)}, ${predictions.length} examples`, () => {
        const metric = plugin(options) as Metric
        const order = predictions.map((_, at) => at)
        const add = (state: unknown, at: readonly number[]): unknown =>
          metric.add(
            state,
            at.map((j) => predictions[j]),
            at.map((j) => references[j]),
          )
        const whole = (): unknown => add(metric.init(), order)
        const third = Math.ceil(order.length / 3)
        const parts = [order.slice(0, third), order.slice(third, 2 * third), order.slice(2 * third)] as const
        const thirds = (): unknown[] => parts.map((at) => add(metric.init(), at))

        it(`agrees with ${golden.source}`, () => expectScore(metric.result(whole()), expected))

        it('returns a value within its range', () => {
          const { value } = metric.result(whole())
          expect(value).toBeGreaterThanOrEqual(metric.range[0])
          expect(value).toBeLessThanOrEqual(metric.range[1])
        })

        it('does not depend on the order of examples', () =>
          expectScore(metric.result(add(metric.init(), shuffled(order, stream(key(1))))), expected))

        it('does not depend on the division into batches', () =>
          expectScore(metric.result(order.reduce((state, at) => add(state, [at]), metric.init())), expected))

        it('has an associative merge, with init() as identity', () => {
          const [a, b, c] = thirds()
          const [d, e, f] = thirds()
          expectScore(metric.result(metric.merge(metric.merge(a, b), c)), expected)
          expectScore(metric.result(metric.merge(d, metric.merge(e, f))), expected)
          expectScore(metric.result(metric.merge(metric.init(), whole())), expected)
          expectScore(metric.result(metric.merge(whole(), metric.init())), expected)
        })

        it('has a state that survives JSON and is never modified', () => {
          const [a, b, c] = thirds()
          const before = overJson([a, b])
          add(a, parts[1])
          metric.merge(a, b)
          metric.result(a)
          expect(overJson([a, b])).toEqual(before)
          expectScore(metric.result(metric.merge(metric.merge(overJson(a), overJson(b)), overJson(c))), expected)
        })

        it('does not modify predictions and references', () => {
          const given = [frozen(predictions), frozen(references)] as const
          expectScore(metric.result(metric.add(metric.init(), ...given)), expected)
        })
      })
  })
}
