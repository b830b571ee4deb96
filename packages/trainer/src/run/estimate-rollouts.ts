import type { Encoded } from '@attune/core'
import { updatesOf } from '../setup/count-steps.js'
import type { Session } from '../setup/session.js'
import { rolloutOf } from './train.js'

/** Time of the rollouts of a run, in seconds. */
export interface RolloutTime {
  /** Mean time of a rollout with the weights before training. */
  readonly each: number
  /** Additional time of the first one, for compilation. */
  readonly compiling: number
  /** Number of rollouts in the run. */
  readonly count: number
}

/** Number of batches that are rolled out: the first one compiles. */
const ROLLOUTS = 3

/** The objective's rollout with a measurement of its time; undefined if it has none. */
export function timeRollouts(session: Session) {
  const rollout = rolloutOf(session)
  if (rollout === undefined) return undefined
  const updates = updatesOf(session.components.objective)
  const times: number[] = []
  return {
    /** Number of steps on the measured rollouts. */
    steps: Math.min(session.stepsPerEpoch, ROLLOUTS * updates),
    async rollout(items: readonly Encoded[], random: () => number): Promise<readonly Encoded[]> {
      const begun = performance.now()
      const found = await rollout(items, random)
      times.push((performance.now() - begun) / 1000)
      return found
    },
    time(): RolloutTime {
      const [first = 0, ...later] = times
      const each = later.length === 0 ? first : later.reduce((sum, time) => sum + time, 0) / later.length
      return { each, compiling: Math.max(0, first - each), count: session.steps / updates }
    },
  }
}
