import { CALLBACK, type Callback, type RunEvent, definePlugin, directionOf } from '@attune/core'
import { filter, map, scan, take } from 'rxjs'
import { z } from 'zod'

/** The sign of an improvement, once known; the best score so far with its step, and the number of evaluations since. */
interface Progress {
  readonly sign: number
  readonly best?: { readonly value: number; readonly step: number }
  readonly waited: number
}

/**
 * Early stopping: stops a run when the validation score has not improved for `patience` evaluations in a row.
 *
 *     improved = value − best > minimumImprovement        (best − value for a score that is minimized)
 *
 * A score that is not finite does not count as an improvement. `best` is the score at the last improvement, so many small steps
 * can add up to one. Near neighbour: callback checkpoint restores the weights of the best score; without it, a stopped run ends
 * with its last weights.
 *
 * The stream fails with AttuneError `UNKNOWN_SCORE` at the start of a run whose evaluations do not have the score.
 */
export const earlyStopping = definePlugin({
  kind: CALLBACK,
  name: 'early-stopping',
  summary: 'Early stopping: stops a run whose validation score no longer improves',
  source: 'Goodfellow, Bengio and Courville, Deep Learning, 2016, algorithm 7.1',
  options: z.strictObject({
    metric: z
      .string()
      .min(1)
      .describe('Validation score to monitor, by its name in evaluations: `loss`, `macro-f1`, …'),
    patience: z.int().min(1).describe('Number of evaluations in a row without improvement after which the run stops'),
    minimumImprovement: z.number().min(0).default(0).describe('Only changes greater than this count as an improvement'),
  }),
  create: ({ metric, patience, minimumImprovement }): Callback => {
    const next = (progress: Progress, event: RunEvent): Progress => {
      if (event.type === 'run.started')
        return {
          ...progress,
          sign: directionOf(event, metric, 'callback early-stopping: `metric`') === 'minimize' ? -1 : 1,
        }
      if (event.type !== 'evaluation.completed' || event.split !== 'validation') return progress
      const { sign, best, waited } = progress
      const value = event.scores[metric]!.value
      const gain = sign * (value - (best?.value ?? -sign * Infinity))
      const improved = Number.isFinite(value) && gain > minimumImprovement
      return improved ? { sign, best: { value, step: event.step }, waited: 0 } : { ...progress, waited: waited + 1 }
    }
    const because = ({ best }: Progress): string =>
      best === undefined
        ? `${metric} has not been a finite number in ${patience} evaluations`
        : `${metric} has not improved on ${Number(best.value.toPrecision(6))}, reached at step ${best.step}, in ${patience} evaluations`
    return (events) =>
      events.pipe(
        scan(next, { sign: 1, waited: 0 } as Progress),
        filter(({ waited }) => waited >= patience),
        take(1),
        map((progress) => ({ type: 'stop', because: because(progress) }) as const),
      )
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'callback early-stopping': typeof earlyStopping
  }
}

export default earlyStopping
