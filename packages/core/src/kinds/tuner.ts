import { kind } from '../kind.js'
import type { Direction } from './metric.js'

/** The distribution of one hyperparameter: a list of choices, or an interval, uniform on a linear or a logarithmic scale. */
export type Distribution = (
  | { readonly choices: readonly (string | number | boolean)[] }
  | {
      readonly from: number
      readonly to: number
      readonly scale: 'linear' | 'log'
      /** True for integers. */
      readonly integer?: boolean
    }
) & {
  /** Values of other hyperparameters under which this one is active. Default: always. */
  readonly when?: Readonly<Record<string, string | number | boolean>>
}

/** A search space: distributions by the path of the option in the configuration. */
export type Space = Readonly<Record<string, Distribution>>

/** A value for every active hyperparameter. */
export type Choice = Readonly<Record<string, string | number | boolean>>

/** A score to optimize. */
export interface Goal {
  readonly score: string
  readonly direction: Direction
}

/** One run of a study. */
export interface Trial {
  /** Index, from 0. */
  readonly id: number
  readonly choice: Choice
  /** Scores by name, after each evaluation. */
  readonly scores: readonly { readonly step: number; readonly values: Readonly<Record<string, number>> }[]
  /** Budget, as a fraction of a full run, in (0, 1]. Default: 1. */
  readonly budget?: number
  /** The trial whose checkpoint it started from. */
  readonly from?: number
  readonly seconds: number
  readonly state: 'running' | 'paused' | 'completed' | 'pruned' | 'failed'
}

/** The next suggestion: a new trial, a paused one to resume with a larger budget, or none for now. `memory` is plain JSON. */
export type Suggestion<M = unknown> =
  | {
      readonly choice: Choice
      readonly budget?: number
      /** The paused trial to resume. */
      readonly resume?: number
      /** The trial whose checkpoint to start from. */
      readonly from?: number
      readonly memory?: M
    }
  /** Running trials must end first. */
  | 'wait'
  | 'done'

/** Hyperparameter optimization, as a pure function of the trials so far: a restarted study repeats its suggestions. */
export interface Tuner<M = unknown> {
  suggest(
    space: Space,
    trials: readonly Trial[],
    random: () => number,
    goals: readonly Goal[],
    memory?: M,
  ): Suggestion<M>
}

/** Hyperparameter optimization. */
export const TUNER = kind<Tuner>('tuner', 'one')

/** Returns the reason to stop a running trial early, given its scores and those of the others; undefined to continue. */
export type Pruner = (trial: Trial, others: readonly Trial[], goals: readonly Goal[]) => string | undefined

/** Pruning (early stopping) of trials. */
export const PRUNER = kind<Pruner>('pruner', 'one')
