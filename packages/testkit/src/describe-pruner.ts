import type { AnyPlugin, Goal, Pruner, Trial } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { itPromises } from './exceptions.js'
import { frozen } from './frozen.js'
import { describe, expect, it } from './runner.js'

/** Scores of a running trial and of completed ones, each from step 1 on, and true if the trial is pruned. Default: larger is better. */
export interface PrunerCase {
  readonly name: string
  readonly options?: Readonly<Record<string, unknown>>
  readonly direction?: Goal['direction']
  readonly scores: readonly number[]
  readonly others: readonly (readonly number[])[]
  readonly pruned: boolean
}

const goal = (direction: Goal['direction'] = 'maximize'): readonly Goal[] => [{ score: 'score', direction }]
const MAXIMIZE = goal()

const trial = (id: number, values: readonly number[], state: Trial['state'] = 'completed'): Trial => ({
  id,
  choice: { learningRate: 10 ** -id },
  scores: values.map((score, i) => ({ step: i + 1, values: { score, other: score } })),
  seconds: 1,
  state,
})

/** Other trials in every state, with scores between 0 and 1. */
const OTHERS: readonly Trial[] = [
  trial(1, [0.1, 0.2, 0.3, 0.4]),
  trial(2, [0.5, 0.6, 0.7, 0.8]),
  trial(3, [0.4], 'pruned'),
  trial(4, [], 'failed'),
  trial(5, [0.2, 0.3], 'running'),
  trial(6, [0.9, 0.2, 0.9, 0.9]),
  trial(7, [0.6, 0.1], 'paused'),
]

/** The same trial with negated scores. */
const negated = (given: Trial): Trial => ({
  ...given,
  scores: given.scores.map(({ step, values }) => ({ step, values: { score: -values['score']! } })),
})

/** Levels between, below and above the scores of {@link OTHERS}. */
const LEVELS = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]

/**
 * Contract of a pruner: returns a reason or undefined for any trial, including one without scores; the same every time and for any
 * order of the other trials; treats minimizing a score as maximizing its negative; does not modify the trials; does not prune a trial
 * that is better than all others at every step; and matches the cases. A pruner that may prune the best trial states
 * `exceptions: { best: reason }` in its manifest.
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
      ...[[], [0], [0.9, 0.1, 0.5, 0.2], [Number.NEGATIVE_INFINITY], [Number.NaN], [-1, -1, -1, -1, -1, -1]],
      ...LEVELS.flatMap((level) => [1, 2, 3, 4].map((steps) => new Array<number>(steps).fill(level))),
    ].map((scores) => trial(9, scores, 'running'))
    const isReason = (verdict: unknown): boolean =>
      verdict === undefined || (typeof verdict === 'string' && verdict.length > 0)
    describeOptions(plugin, options)

    it('returns a reason or undefined for any trial, the same every time, in any order of the others', () => {
      for (const each of running)
        for (const goals of [MAXIMIZE, [...MAXIMIZE, { score: 'other', direction: 'minimize' as const }]]) {
          const pruner = make()
          const verdict = pruner(each, OTHERS, goals)
          expect(isReason(verdict)).toBe(true)
          expect(pruner(each, [...OTHERS].reverse(), goals) === undefined).toBe(verdict === undefined)
          expect(make()(each, OTHERS, goals)).toBe(verdict)
          expect(isReason(make()(each, [], goals))).toBe(true)
        }
    })

    it('treats minimizing a score as maximizing its negative', () => {
      const minimize = goal('minimize')
      for (const each of running)
        expect(make()(negated(each), OTHERS.map(negated), minimize) === undefined).toBe(
          make()(each, OTHERS, MAXIMIZE) === undefined,
        )
    })

    it('does not modify the trials', () => {
      for (const each of running.filter(({ scores }) => scores.every(({ values }) => Number.isFinite(values['score']))))
        make()(frozen(each), frozen(OTHERS), frozen(MAXIMIZE))
    })

    const best = [2, 3, 4, 5, 6, 7]
    const unpruned = { kept: 'does not prune the best trial', excused: 'may prune the best trial' }
    itPromises(plugin, 'best', unpruned, (reason) => {
      const given = best.map((_, i) => make()(trial(9, best.slice(0, i), 'running'), OTHERS, MAXIMIZE))
      if (reason === undefined) expect(given).toEqual(best.map(() => undefined))
      else expect(given).toContainEqual(expect.any(String))
    })

    for (const { name, options: given = options, direction, scores, others, pruned } of cases)
      it(`${pruned ? 'prunes' : 'continues'} ${name}`, () => {
        const trials = others.map((values, i) => trial(i, values))
        const verdict = make(given)(trial(others.length, scores, 'running'), trials, goal(direction))
        expect(typeof verdict).toBe(pruned ? 'string' : 'undefined')
      })
  })
}
