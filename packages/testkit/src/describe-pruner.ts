import { describe, expect, it } from '@jest/globals'
import type { AnyPlugin, Pruner, Trial } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { frozen } from './frozen.js'

/** A running trial and the others, each as its scores from step 1 on, and whether it is given up. Higher is better. */
export interface PrunerCase {
  readonly name: string
  readonly options?: Readonly<Record<string, unknown>>
  readonly scores: readonly number[]
  readonly others: readonly (readonly number[])[]
  readonly pruned: boolean
}

const trial = (id: number, values: readonly number[], state: Trial['state'] = 'completed'): Trial => ({
  id,
  choice: { learningRate: 10 ** -id },
  scores: values.map((value, i) => ({ step: i + 1, value })),
  state,
})

/** Others that ended in every way there is, all of them between 0 and 1. */
const OTHERS: readonly Trial[] = [
  trial(1, [0.1, 0.2, 0.3, 0.4]),
  trial(2, [0.5, 0.6, 0.7, 0.8]),
  trial(3, [0.4], 'pruned'),
  trial(4, [], 'failed'),
  trial(5, [0.2, 0.3], 'running'),
  trial(6, [0.9, 0.2, 0.9, 0.9]),
]

/** Between, below and above the scores of {@link OTHERS}. */
const LEVELS = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]

/**
 * The contract of a pruner: it says yes or no of any trial, of one without scores too; the same however often it is asked
 * and in whatever order the others come; the trials stay as they were; a trial ahead of all others at every step goes on;
 * and the cases come out as expected. A pruner that may give up the best trial says so under
 * `exceptions: { best: reason }` of its manifest.
 */
export function describePruner(
  plugin: AnyPlugin,
  {
    options = {},
    cases,
  }: { readonly options?: Readonly<Record<string, unknown>>; readonly cases: readonly PrunerCase[] },
): void {
  describe(`pruner ${plugin.name}`, () => {
    const make = (given = options): Pruner => plugin(given) as Pruner
    const running = [
      ...[[], [0], [0.9, 0.1, 0.5, 0.2], [Number.NEGATIVE_INFINITY], [-1, -1, -1, -1, -1, -1]],
      ...LEVELS.flatMap((level) => [1, 2, 3, 4].map((steps) => new Array<number>(steps).fill(level))),
    ]
    describeOptions(plugin, options)

    it('says yes or no of any trial, alike every time, in any order of the others', () => {
      for (const scores of running) {
        const pruner = make()
        const verdict = pruner(trial(9, scores, 'running'), OTHERS)
        expect(typeof verdict).toBe('boolean')
        expect(pruner(trial(9, scores, 'running'), [...OTHERS].reverse())).toBe(verdict)
        expect(make()(trial(9, scores, 'running'), OTHERS)).toBe(verdict)
        expect(typeof make()(trial(9, scores, 'running'), [])).toBe('boolean')
      }
    })

    it('leaves the trials as they were', () => {
      for (const scores of running.filter((each) => each.every(Number.isFinite)))
        make()(frozen(trial(9, scores, 'running')), frozen(OTHERS))
    })

    const excused = plugin.exceptions?.['best']
    const best = [2, 3, 4, 5, 6, 7]
    it(excused === undefined ? 'lets the best trial go on' : `may give up the best trial: ${excused}`, () => {
      const given = best.map((_, i) => make()(trial(9, best.slice(0, i), 'running'), OTHERS))
      if (excused === undefined) expect(given).toEqual(best.map(() => false))
      else expect(given).toContain(true)
    })

    for (const { name, options: given = options, scores, others, pruned } of cases)
      it(`${pruned ? 'gives up' : 'lets go on'} ${name}`, () => {
        const trials = others.map((values, i) => trial(i, values))
        expect(make(given)(trial(others.length, scores, 'running'), trials)).toBe(pruned)
      })
  })
}
