import type { Choice, Direction, Goal, RunEvent, Trial } from '@attune/core'

declare module '@attune/core' {
  interface RunEvents {
    /** A study starts or resumes. */
    'study.started': {
      readonly directory: string
      readonly goals: readonly Goal[]
      /** Number of trials to run. */
      readonly trials: number
      readonly parallel: number
      /** Trials recorded by earlier sessions. */
      readonly earlier: readonly Trial[]
    }
    /** A new trial. `memory` is the tuner's state. */
    'trial.started': {
      readonly trial: number
      readonly choice: Choice
      readonly budget?: number
      readonly from?: number
      readonly memory?: unknown
    }
    /** A trial resumes from its checkpoint at `step`; 0 if it restarts. */
    'trial.resumed': {
      readonly trial: number
      readonly step: number
      readonly budget?: number
      readonly memory?: unknown
    }
    /** Progress of a trial, at most twice a second. Not written to the log. */
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
      /** Training time of the trial so far, in seconds. */
      readonly seconds: number
    }
    /** The end of a trial, or of its current budget. */
    'trial.completed': {
      readonly trial: number
      readonly state: Exclude<Trial['state'], 'running'>
      readonly scores: Trial['scores']
      readonly seconds: number
      /** Reason, if the trial was pruned, failed or stopped early. */
      readonly because?: string
    }
    /** The end of a study, or its interruption. */
    'study.completed': {
      readonly trials: readonly Trial[]
      /** Ids of the best completed trials: one for a single goal, the Pareto front for several. */
      readonly best: readonly number[]
      /** `finished`, or the reason for stopping. */
      readonly because: string
    }
    /** A fold starts, or resumes from a checkpoint. */
    'fold.started': { readonly fold: number; readonly folds: number; readonly step: number }
    /** Progress of a fold's run. Not written to the log. */
    'fold.progressed': {
      readonly fold: number
      readonly step: number
      readonly steps: number
      readonly secondsLeft: number
    }
    /** Scores of a fold's model. */
    'fold.completed': {
      readonly fold: number
      /** On the fold's validation split. */
      readonly values: Readonly<Record<string, number>>
      /** On the fold's test split, if it has one. */
      readonly test?: Readonly<Record<string, number>>
      readonly seconds: number
    }
    'crossValidation.completed': {
      readonly directory: string
      readonly folds: number
      /** Scores on the validation splits. Empty if stopped before the last fold. */
      readonly scores: Readonly<Record<string, FoldScores>>
      /** Scores on the test splits, if there are any. */
      readonly test?: Readonly<Record<string, FoldScores>>
      /** `finished`, or the reason for stopping. */
      readonly because: string
    }
    /** A round of self-training starts, or resumes from a checkpoint; round 0 trains on the labelled rows alone. */
    'round.started': { readonly round: number; readonly rounds: number; readonly step: number }
    /** The model of the round before has labelled rows. */
    'pseudoLabels.assigned': {
      readonly round: number
      /** Number of unlabelled rows, without those among the labelled ones. */
      readonly unlabelled: number
      /** Rows that the model could not predict. */
      readonly rejected: number
      /** Number of rows that train with a predicted label, by label. */
      readonly byLabel: Readonly<Record<string, number>>
    }
    /** Progress of a round's run. Not written to the log. */
    'round.progressed': {
      readonly round: number
      readonly step: number
      readonly steps: number
      readonly secondsLeft: number
    }
    /** Validation scores of a round's model. */
    'round.completed': {
      readonly round: number
      readonly values: Readonly<Record<string, number>>
      readonly seconds: number
    }
    'selfTraining.completed': {
      readonly directory: string
      /** Name of the score that ranks the rounds. */
      readonly metric: string
      /** Validation score of each completed round. */
      readonly scores: readonly number[]
      /** The round with the best score, the first of equal ones; absent before the end of round 0. */
      readonly best?: number
      /** `finished`, or the reason for stopping. */
      readonly because: string
    }
    /** A member of an ensemble starts, or resumes from a checkpoint. */
    'member.started': { readonly member: number; readonly members: number; readonly step: number }
    /** Progress of a member's run. Not written to the log. */
    'member.progressed': {
      readonly member: number
      readonly step: number
      readonly steps: number
      readonly secondsLeft: number
    }
    /** Validation scores of a member. */
    'member.completed': {
      readonly member: number
      readonly values: Readonly<Record<string, number>>
      readonly seconds: number
      /** Boosting: weighted fraction of the training rows that it misclassifies. */
      readonly error?: number
      /** Boosting: weight of its vote; 0 if it is not better than chance. */
      readonly weight?: number
    }
    /** The end of the training of an ensemble, or its interruption. */
    'ensemble.completed': {
      readonly directory: string
      /** Number of trained members. */
      readonly members: number
      /** Folder of the ensemble; absent if it was stopped before its last member, or boosting ended at the first. */
      readonly ensemble?: string
      /** Scores of each training row by the members that were not trained on it, and the number of these rows. */
      readonly outOfBag?: {
        readonly scores: Readonly<Record<string, number>>
        readonly examples: number
        readonly rows: number
      }
      /** `finished`, or the reason for stopping. */
      readonly because: string
    }
  }
}

/** Statistics of one score over the folds. */
export interface FoldScores {
  readonly mean: number
  /** Sample standard deviation (denominator n − 1). */
  readonly standardDeviation: number
  /** One value per fold. */
  readonly values: readonly number[]
}

/** Events of the given types. */
type EventAmong<K extends RunEvent['type']> = Extract<RunEvent, { readonly type: K }>

/** Events of a study. */
export type StudyEvent = EventAmong<
  | 'study.started'
  | 'trial.started'
  | 'trial.resumed'
  | 'trial.progressed'
  | 'trial.scored'
  | 'trial.completed'
  | 'study.completed'
>

/** Events of a cross-validation. */
export type CrossValidationEvent = EventAmong<
  'fold.started' | 'fold.progressed' | 'fold.completed' | 'crossValidation.completed'
>

/** Events of self-training. */
export type SelfTrainingEvent = EventAmong<
  'round.started' | 'pseudoLabels.assigned' | 'round.progressed' | 'round.completed' | 'selfTraining.completed'
>

/** Events of bagging and of boosting. */
export type EnsembleEvent = EventAmong<
  'member.started' | 'member.progressed' | 'member.completed' | 'ensemble.completed'
>

/** An event without its timestamp. */
export type Untimed<E> = E extends unknown ? Omit<E, 'at'> : never

/** Optimization direction of every score of a run, by name. */
export type Directions = Readonly<Record<string, Direction>>
