import type { AnyPlugin, Scheduler } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { describe, expect, it } from './runner.js'

/** Factors of the steps 1, 2, … of a run, computed by another library. */
export interface SchedulerGolden {
  readonly source: string
  readonly cases: readonly {
    readonly options: Readonly<Record<string, unknown>>
    readonly steps: number
    readonly expected: readonly number[]
  }[]
}

const LENGTHS = [1, 2, 3, 7, 10, 99, 100, 1000, 4096]

/** Factors of all steps of a run. */
const factors = (scheduler: Scheduler, steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => scheduler(i + 1, steps))

/**
 * Contract of a scheduler: for runs of many lengths, including a single step, every step has a finite factor within [0, 1]; it is
 * pure, so the order of calls does not matter; and it matches another library. The options are those of the golden cases and
 * `options`.
 */
export function describeScheduler(
  plugin: AnyPlugin,
  {
    golden,
    options = {},
  }: { readonly golden?: SchedulerGolden; readonly options?: Readonly<Record<string, unknown>> } = {},
): void {
  const given = new Map(
    [options, ...(golden?.cases ?? []).map((each) => each.options)].map((o) => [JSON.stringify(o), o]),
  )

  describe(`scheduler ${plugin.name}`, () => {
    describeOptions(plugin, options)

    for (const [words, each] of given)
      describe(`with ${words}`, () => {
        const make = (): Scheduler => plugin(each) as Scheduler

        it('returns a finite factor within [0, 1] for every step of a run', () => {
          for (const steps of LENGTHS) {
            const outside = factors(make(), steps).filter((factor) => !(factor >= 0 && factor <= 1))
            expect([steps, outside]).toEqual([steps, []])
          }
        })

        it('is pure: the order of the calls does not matter', () => {
          const scheduler = make()
          const forwards = LENGTHS.map((steps) => factors(scheduler, steps).join())
          const backwards = [...LENGTHS]
            .reverse()
            .map((steps) => Array.from({ length: steps }, (_, i) => scheduler(steps - i, steps)).reverse())
            .reverse()
          const others = [backwards, LENGTHS.map((steps) => factors(make(), steps))]
          const changed = others.map((again) => LENGTHS.filter((_, i) => again[i]!.join() !== forwards[i]))
          expect(changed).toEqual([[], []])
        })
      })

    for (const { options: each, steps, expected } of golden?.cases ?? [])
      it(`agrees with ${golden!.source} over ${steps} steps: ${JSON.stringify(each)}`, () => {
        expect(expected).toHaveLength(steps)
        const largest = factors(plugin(each) as Scheduler, steps).reduce(
          (max, factor, i) => Math.max(max, Math.abs(factor - expected[i]!)),
          0,
        )
        expect(largest).toBeLessThan(1e-12)
      })
  })
}
