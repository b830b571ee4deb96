import { CALLBACK, type Callback, type RunEvent, definePlugin, directionOf } from '@attune/core'
import { filter, map, scan, take } from 'rxjs'
import { z } from 'zod'

/** Which way is better, once known; the best value so far, the step it was scored at, and the evaluations since. */
interface Progress {
  readonly sign: number
  readonly best?: { readonly value: number; readonly step: number }
  readonly waited: number
}

/**
 * Stops a run when the validation score has not improved for `patience` evaluations in a row.
 *
 *     improved = value − best > minimumImprovement        (best − value where less is better)
 *
 * A value that is not a finite number is no improvement. The best value is that of the last improvement, so many small steps
 * add up to one. Near neighbour: callback checkpoint keeps the weights of the best score; alone, a run that was stopped
 * ends with its last ones.
 *
 * The stream fails with AttuneError `UNKNOWN_SCORE` as the run starts if its evaluations will not have the score.
 */
export const earlyStopping = definePlugin({
  kind: CALLBACK,
  name: 'early-stopping',
  summary: 'Stops a run whose validation score no longer improves',
  source: 'Goodfellow, Bengio and Courville, Deep Learning, 2016, algorithm 7.1',
  options: z.strictObject({
    metric: z.string().min(1).describe('The score that must improve, as evaluations name it: `loss`, `macro-f1`, …'),
    patience: z.int().min(1).describe('Evaluations without improvement, in a row, after which the run stops'),
    minimumImprovement: z.number().min(0).default(0).describe('A change counts as an improvement when it is greater'),
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
export default earlyStopping
