import { CALLBACK, type Callback, type Command, type RunEvent, definePlugin, directionOf } from '@attune/core'
import { concatMap, from, scan } from 'rxjs'
import { z } from 'zod'

/** The sign of an improvement, the best score so far, evaluations since and still to skip, the factor, and the commands to give now. */
interface Progress {
  readonly sign: number
  readonly best: number
  readonly waited: number
  readonly resting: number
  readonly factor: number
  readonly commands: readonly Command[]
}

const START: Progress = { sign: 1, best: -Infinity, waited: 0, resting: 0, factor: 1, commands: [] }

/**
 * Reduce on plateau: multiplies the learning rate by `factor` when the validation score has not improved for more than `patience`
 * evaluations in a row.
 *
 *     improved = value − best > minimumImprovement        (best − value for a score that is minimized)
 *
 * After a reduction, `cooldown` evaluations are not counted. The rate is never reduced below `floor` times its schedule. This is
 * PyTorch's ReduceLROnPlateau with an absolute threshold; its relative one is not offered, since it has no meaning for scores below 0.
 * It comes on top of the scheduler: use a constant one. A score that is not finite does not count as an improvement.
 *
 * The stream fails with AttuneError `UNKNOWN_SCORE` at the start of a run whose evaluations do not have the score.
 */
export const reduceOnPlateau = definePlugin({
  kind: CALLBACK,
  name: 'reduce-on-plateau',
  summary: 'Lowers the learning rate of a run whose validation score no longer improves',
  source: 'PyTorch, torch.optim.lr_scheduler.ReduceLROnPlateau',
  options: z.strictObject({
    metric: z.string().min(1).default('loss').describe('Validation score to monitor, by its name in evaluations'),
    factor: z.number().positive().lt(1).default(0.1).describe('Factor of each reduction of the learning rate'),
    patience: z
      .int()
      .min(0)
      .default(2)
      .describe('Number of evaluations in a row without improvement that are tolerated'),
    minimumImprovement: z.number().min(0).default(0).describe('Only changes greater than this count as an improvement'),
    cooldown: z.int().min(0).default(0).describe('Number of evaluations after a reduction that are not counted'),
    floor: z.number().min(0).lt(1).default(0).describe('Minimum product of all reductions'),
  }),
  create: ({ metric, factor, patience, minimumImprovement, cooldown, floor }): Callback => {
    const reduced = (progress: Progress, step: number): Progress => {
      const lowered = Math.max(progress.factor * factor, floor)
      const command: Command = {
        type: 'scaleLearningRate',
        factor: lowered / progress.factor,
        because: `${metric} has not ${Number.isFinite(progress.best) ? `improved on ${Number((progress.sign * progress.best).toPrecision(6))}` : 'been a finite number'} in ${patience + 1} evaluations, at step ${step}`,
      }
      const commands = lowered < progress.factor ? [command] : []
      return { ...progress, waited: 0, resting: cooldown, factor: lowered, commands }
    }
    const next = (last: Progress, event: RunEvent): Progress => {
      const progress = last.commands.length === 0 ? last : { ...last, commands: [] }
      if (event.type === 'run.started') {
        const minimized = directionOf(event, metric, 'callback reduce-on-plateau: `metric`') === 'minimize'
        return { ...progress, sign: minimized ? -1 : 1 }
      }
      if (event.type !== 'evaluation.completed' || event.split !== 'validation') return progress
      const value = progress.sign * event.scores[metric]!.value
      const improved = Number.isFinite(value) && value - progress.best > minimumImprovement
      const resting = Math.max(progress.resting - 1, 0)
      const waited = improved || progress.resting > 0 ? 0 : progress.waited + 1
      const now = { ...progress, best: improved ? value : progress.best, resting, waited }
      return waited > patience ? reduced(now, event.step) : now
    }
    return (events) =>
      events.pipe(
        scan(next, START),
        concatMap(({ commands }) => from(commands)),
      )
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'callback reduce-on-plateau': typeof reduceOnPlateau
  }
}

export default reduceOnPlateau
