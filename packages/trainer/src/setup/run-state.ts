import type { Tree } from '@attune/core'
import type { Progress } from '../files/checkpoint.js'
import type { Evaluated } from '../files/evaluated.js'
import type { TrainingState } from '../step/training-step.js'

/** Mutable state of a running session. */
export interface RunState {
  state: TrainingState
  /** Return value of the objective's `beforeEpoch` for this epoch. */
  memory: Tree | undefined
  progress: Progress
  /** Reason of the first external command that requests an interruption. */
  interrupted: string | undefined
  /** Label of the checkpoint whose weights become the final model. */
  restore: string | undefined
  /** Latest validation scores, with the step of their weights. */
  evaluated: Evaluated | undefined
  hasWarnedOfNoFolder: boolean
  /** Step after which the schedules start; not 0 only if a learner has restarted them. */
  scheduleStart: number
}

/** Progress of a run that has not begun. */
export const START: Progress = { step: 0, epoch: 0, batches: 0, learningRateScale: 1, labels: [], because: 'start' }

/** Initial values of the state outside of checkpoints. */
export const INITIAL = {
  interrupted: undefined,
  restore: undefined,
  evaluated: undefined,
  hasWarnedOfNoFolder: false,
  scheduleStart: 0,
}
