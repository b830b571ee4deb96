import {
  CALLBACK,
  type Callback,
  type Command,
  type Direction,
  type RunEvent,
  definePlugin,
  directionOf,
} from '@attune/core'
import { concatMap, scan } from 'rxjs'
import { z } from 'zod'

const options = z
  .strictObject({
    everySteps: z.int().min(1).optional().describe('Save every this many steps. Default: not by steps'),
    everyEpoch: z
      .boolean()
      .optional()
      .describe('Save after every epoch. Default: true if neither `everySteps` nor `best` is set, else false'),
    best: z
      .string()
      .min(1)
      .optional()
      .describe('Save whenever this validation score (`loss`, `macro-f1`, …) is the best so far. Default: none'),
    restoreBest: z
      .boolean()
      .default(true)
      .describe('Restore the weights of the best score when training is done; only used with `best`'),
  })
  .refine((o) => o.everyEpoch !== false || o.everySteps !== undefined || o.best !== undefined, {
    error: 'one of `everySteps`, `everyEpoch` and `best` must be set, or nothing is ever saved',
  })

/** The commands due now, and the state that later events need. */
interface Progress {
  readonly due: readonly Command[]
  readonly epochs: number
  readonly direction: Direction
  readonly best?: { readonly value: number; readonly step: number }
}

type Take = (progress: Progress, event: RunEvent) => Progress

/** Saves at multiples of `everySteps`. */
const bySteps =
  (everySteps: number): Take =>
  (progress, event) =>
    event.type === 'step.completed' && event.step % everySteps === 0
      ? { ...progress, due: [...progress.due, { type: 'save', because: `every ${everySteps} steps` }] }
      : progress

/** Saves at the last step of every epoch. All epochs have the same number of steps, so steps and epochs determine their ends. */
const byEpochs: Take = (progress, event) => {
  if (event.type === 'run.started') return { ...progress, epochs: event.epochs }
  if (event.type !== 'step.completed') return progress
  const done = (step: number): number => Math.floor((step * progress.epochs) / event.steps)
  const epoch = done(event.step)
  if (epoch === done(event.step - 1)) return progress
  return { ...progress, due: [...progress.due, { type: 'save', because: `epoch ${epoch} is done` }] }
}

const words = (metric: string, { value, step }: { value: number; step: number }): string =>
  `${metric} ${Number(value.toPrecision(6))} at step ${step}`

/** Saves when the validation score is the best so far, and restores the best when training is done. */
const byScore =
  (metric: string, restore: boolean): Take =>
  (progress, event) => {
    if (event.type === 'run.started')
      return { ...progress, direction: directionOf(event, metric, 'callback checkpoint: `best`') }
    if (event.type === 'training.completed' && restore && progress.best !== undefined) {
      const because = `best validation score: ${words(metric, progress.best)}`
      return { ...progress, due: [...progress.due, { type: 'restore', label: 'best', because }] }
    }
    if (event.type !== 'evaluation.completed' || event.split !== 'validation') return progress
    const best = { value: event.scores[metric]!.value, step: event.step }
    const [better, worse] = progress.direction === 'maximize' ? [best, progress.best] : [progress.best, best]
    const improved = better === undefined || worse === undefined || better.value > worse.value
    if (!improved || !Number.isFinite(best.value)) return progress
    const because = `best validation score so far: ${words(metric, best)}`
    return { ...progress, best, due: [...progress.due, { type: 'save', label: 'best', because }] }
  }

/**
 * Saves checkpoints by step, by epoch and whenever the validation score is the best so far. The best one has the label `best`,
 * so it is kept until a better one replaces it; when training is done the run restores it.
 *
 * A scan over the events. A score that is not finite is never the best; of equal scores the first is kept. Near neighbour:
 * callback early-stopping stops a run whose score no longer improves.
 *
 * The stream fails with AttuneError `UNKNOWN_SCORE` at the start of a run whose evaluations do not have the score.
 */
export const checkpoint = definePlugin({
  kind: CALLBACK,
  name: 'checkpoint',
  summary: 'Saves checkpoints by step, by epoch and at the best validation score, and restores the best',
  options,
  create: ({ everySteps, everyEpoch, best, restoreBest }): Callback => {
    const takes: Take[] = []
    if (everySteps !== undefined) takes.push(bySteps(everySteps))
    if (everyEpoch ?? (everySteps === undefined && best === undefined)) takes.push(byEpochs)
    if (best !== undefined) takes.push(byScore(best, restoreBest))
    const next: Take = (progress, event) =>
      takes.reduce<Progress>((now, take) => take(now, event), { ...progress, due: [] })
    return (events) =>
      events.pipe(
        scan(next, { due: [], epochs: 0, direction: 'maximize' } as Progress),
        concatMap(({ due }) => due),
      )
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'callback checkpoint': typeof checkpoint
  }
}

export default checkpoint
