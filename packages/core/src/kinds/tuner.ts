import { kind } from '../kind.js'

/** The range of one hyperparameter. */
export type Range =
  | { readonly choices: readonly (string | number | boolean)[] }
  | { readonly from: number; readonly to: number; readonly scale: 'linear' | 'log'; readonly whole?: boolean }

/** What is searched: ranges by the path of the option in the configuration. */
export type Space = Readonly<Record<string, Range>>

/** One choice of every hyperparameter. */
export type Choice = Readonly<Record<string, string | number | boolean>>

/** One run of a search: its choice, the scores so far by step, and how it ended. */
export interface Trial {
  readonly id: number
  readonly choice: Choice
  readonly scores: readonly { readonly step: number; readonly value: number }[]
  readonly state: 'running' | 'completed' | 'pruned' | 'failed'
}

/** Hyperparameter search as a function of the trials so far. Higher values are better. `memory` is plain JSON. */
export interface Tuner<M = unknown> {
  suggest(
    space: Space,
    trials: readonly Trial[],
    random: () => number,
    memory?: M,
  ): { readonly choice: Choice; readonly memory?: M }
}

/** Hyperparameter search. */
export const TUNER = kind<Tuner>('tuner', 'one')

/** Tells whether a running trial is not worth finishing, from its scores and the others'. */
export type Pruner = (trial: Trial, others: readonly Trial[]) => boolean

/** Early ends of trials. */
export const PRUNER = kind<Pruner>('pruner', 'one')
