import { deriveKey, key } from '@attune/core'
import { scheduledValue } from '../setup/scheduled.js'
import type { Session } from '../setup/session.js'
import type { HostInputs } from '../step/compiled-step.js'

/** The step of the schedules at a step of the run: a learner may restart them, and train beyond their last step. */
export const scheduleStep = ({ runState, steps }: Pick<Session, 'runState' | 'steps'>, step: number): number =>
  Math.min(step - runState.scheduleStart, steps)

/** Inputs that vary from step to step: learning rate, step, random seed, and scheduled options. */
export function inputsOf({ plan, components, steps, runState, schedule }: Session, step: number): HostInputs {
  const { config } = plan
  const at = scheduleStep({ runState, steps }, step)
  const factor = scheduledValue(components.scheduler, config.scheduler.common ?? {}, at, steps)
  return {
    learningRate: config.training.learningRate * factor * runState.progress.learningRateScale,
    step,
    steps,
    seed: deriveKey(key(config.seed), 'step', step),
    scheduled: schedule(at, steps),
  }
}
