import { deriveKey, key } from '@attune/core'
import { scheduledValue } from '../setup/scheduled.js'
import type { Session } from '../setup/session.js'
import type { HostInputs } from '../step/compiled-step.js'

/** Inputs that vary from step to step: learning rate, step, random seed, and scheduled options. */
export function inputsOf({ plan, components, steps, runState, schedule }: Session, step: number): HostInputs {
  const { config } = plan
  // A learner may restart the schedule, and train beyond its last step.
  const at = Math.min(step - runState.scheduleStart, steps)
  const factor = scheduledValue(components.scheduler, config.scheduler.common ?? {}, at, steps)
  return {
    learningRate: config.training.learningRate * factor * runState.progress.learningRateScale,
    step,
    steps,
    seed: deriveKey(key(config.seed), 'step', step),
    scheduled: schedule(at, steps),
  }
}
