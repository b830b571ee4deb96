import type { Choice, Direction, Goal, RunEvent, Trial } from '@attune/core'

declare module '@attune/core' {
  interface RunEvents {
    /** A study begins, or goes on with the trials that it has. */
    'study.started': {
      readonly directory: string
      readonly goals: readonly Goal[]
      /** The number of trials to make. */
      readonly trials: number
      readonly parallel: number
      /** Trials of before. */
      readonly earlier: readonly Trial[]
    }
    /** A new trial. `memory` is what the tuner remembers. */
    'trial.started': {
      readonly trial: number
      readonly choice: Choice
      readonly budget?: number
      readonly from?: number
      readonly memory?: unknown
    }
    /** A trial goes on from its checkpoint of `step`; from 0, it is run again. */
    'trial.resumed': {
      readonly trial: number
      readonly step: number
      readonly budget?: number
      readonly memory?: unknown
    }
    /** The position of a trial, twice a second at most. The log does not keep it. */
    'trial.progressed': {
      readonly trial: number
      readonly step: number
      readonly steps: number
      readonly secondsLeft: number
    }
    /** An evaluation on the validation split. */
    'trial.scored': {
      readonly trial: number
      readonly step: number
      readonly values: Readonly<Record<string, number>>
      /** Seconds that the trial has trained. */
      readonly seconds: number
    }
    /** The end of a trial, or of its budget. */
    'trial.completed': {
      readonly trial: number
      readonly state: Exclude<Trial['state'], 'running'>
      readonly scores: Trial['scores']
      readonly seconds: number
      /** The reason of a trial that was pruned, failed or stopped early. */
      readonly because?: string
    }
    /** The end of a study, or of this part of it. */
    'study.completed': {
      readonly trials: readonly Trial[]
      /** The best completed trials: one, or with several goals those that no other dominates. */
      readonly best: readonly number[]
      /** `finished`, or the reason why it was stopped. */
      readonly because: string
    }
    /** A fold begins, or goes on from a checkpoint. */
    'fold.started': { readonly fold: number; readonly folds: number; readonly step: number }
    /** The position of a fold's run. The log does not keep it. */
    'fold.progressed': {
      readonly fold: number
      readonly step: number
      readonly steps: number
      readonly secondsLeft: number
    }
    /** The scores of a fold's model. */
    'fold.completed': {
      readonly fold: number
      /** On the validation part of the fold. */
      readonly values: Readonly<Record<string, number>>
      /** On the test part of the fold, if it has one. */
      readonly test?: Readonly<Record<string, number>>
      readonly seconds: number
    }
    'crossValidation.completed': {
      readonly directory: string
      readonly folds: number
      /** Scores over the validation parts. Empty if it was stopped before the last fold. */
      readonly scores: Readonly<Record<string, FoldScores>>
      /** Scores over the test parts, if there are any. */
      readonly test?: Readonly<Record<string, FoldScores>>
      /** `finished`, or the reason why it was stopped. */
      readonly because: string
    }
  }
}

/** One score over the folds. */
export interface FoldScores {
  readonly mean: number
  /** The sample standard deviation, with the denominator n − 1. */
  readonly standardDeviation: number
  /** By fold. */
  readonly values: readonly number[]
}

/** The events of some types. */
type EventAmong<K extends RunEvent['type']> = Extract<RunEvent, { readonly type: K }>

/** The events of a study. */
export type StudyEvent = EventAmong<
  | 'study.started'
  | 'trial.started'
  | 'trial.resumed'
  | 'trial.progressed'
  | 'trial.scored'
  | 'trial.completed'
  | 'study.completed'
>

/** The events of a cross-validation. */
export type CrossValidationEvent = EventAmong<
  'fold.started' | 'fold.progressed' | 'fold.completed' | 'crossValidation.completed'
>

/** An event before it has a time. */
export type Untimed<E> = E extends unknown ? Omit<E, 'at'> : never

/** The direction of every score of a run, by name. */
export type Directions = Readonly<Record<string, Direction>>
