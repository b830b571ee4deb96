import { type Observable, type OperatorFunction, filter } from 'rxjs'
import { AttuneError } from './error.js'
import { kind } from './kind.js'
import type { Direction, Score } from './kinds/metric.js'
import { nearest } from './nearest.js'

/**
 * The events of a run, by type. A plugin adds its own by declaration merging,
 * `declare module '@attune/core' { interface RunEvents { 'my.event': { … } } }`.
 */
export interface RunEvents {
  /** Progress of a plugin that learns from the training examples (a vocabulary) before the run; at most twice a second. */
  'fit.progressed': {
    /** Kind and name of the plugin. */
    readonly plugin: string
    /** The unit of progress: `texts read`. */
    readonly phase: string
    readonly done: number
    /** The total amount of work, if known. */
    readonly total?: number
    /** Time since the start of the phase. */
    readonly seconds: number
  }
  /** A data preparation stage (cleaning, filtering, balancing, augmentation) is complete, before the run. */
  'stage.made': {
    /** Kind and name of the plugin: `filter duplicates`. */
    readonly stage: string
    readonly kind: string
    readonly examplesIn: number
    readonly examplesOut: number
    /** Number of examples that a filter dropped, by reason. */
    readonly because?: Readonly<Record<string, number>>
    /** The time of the original preparation. */
    readonly seconds: number
    /** The cache file; absent for a stage that is kept in memory. */
    readonly path?: string
    /** True if it was read from the cache. */
    readonly reused: boolean
  }
  /** A run starts at step 0. */
  'run.started': RunFacts
  /** A run resumes from the checkpoint of `step`. */
  'run.resumed': RunFacts & { readonly step: number; readonly checkpoint: string }
  /** An epoch starts; epochs count from 0. */
  'epoch.started': { readonly epoch: number; readonly step: number }
  /** The rollout before a step, with the values that the objective reports: mean rewards, for example. */
  'rollout.completed': { readonly step: number; readonly values: Readonly<Record<string, number>> }
  /** One optimizer step. Steps count from 1. */
  'step.completed': {
    readonly step: number
    readonly steps: number
    readonly epoch: number
    /** Mean loss of the batch before the update. */
    readonly loss: number
    readonly learningRate: number
    /** Global L2 norm of the gradient before clipping. */
    readonly gradientNorm: number
    readonly examples: number
    /** Number of tokens in the batch, without padding. */
    readonly tokens: number
    readonly tokensPerSecond: number
    readonly secondsLeft: number
  }
  'evaluation.started': { readonly step: number; readonly split: string }
  'evaluation.completed': {
    readonly step: number
    readonly split: string
    /** Scores by metric name; `loss` is always among them. */
    readonly scores: Readonly<Record<string, Score>>
    readonly examples: number
    readonly seconds: number
  }
  'checkpoint.saved': {
    readonly step: number
    readonly path: string
    readonly bytes: number
    readonly because: string
  }
  /** Rows that a source rejected, and the file that holds them. */
  'rows.rejected': { readonly split: string; readonly count: number; readonly path: string }
  /** Texts that were truncated to the maximum length. */
  'texts.truncated': { readonly split: string; readonly count: number; readonly maximumLength: number }
  /** Word embeddings were initialized from a file; `found` of the tokenizer's tokens have a vector in it. */
  'vectors.loaded': { readonly path: string; readonly found: number; readonly tokens: number }
  /** A callback or the user issued a command. */
  'command.given': { readonly step: number; readonly command: Command }
  /** A warning; the run continues. */
  'run.warned': { readonly step: number; readonly message: string }
  /** The last step is complete. Commands that callbacks issue now still affect the saved model. */
  'training.completed': { readonly step: number; readonly because: string }
  'run.completed': {
    readonly step: number
    readonly seconds: number
    /** `finished`, or the reason for stopping early. */
    readonly because: string
    /** Path of the saved model, if the run has a folder. */
    readonly model?: string
    /** Step and validation scores of the saved weights, if an earlier checkpoint was restored. */
    readonly restored?: { readonly step: number; readonly scores: Readonly<Record<string, Score>> }
  }
  'run.failed': { readonly step: number; readonly code: string; readonly problem: string; readonly remedy: string }
}

/** Facts about a run that are known at its start. */
export interface RunFacts {
  readonly seed: number
  readonly steps: number
  readonly epochs: number
  readonly examples: number
  readonly parameters: number
  readonly trainableParameters: number
  readonly engine: string
  readonly directory?: string
  /** The event log, a JSON Lines file, if the run has a folder. */
  readonly log?: string
  /** Differences that the user accepted when resuming: changed settings and inputs, trusted programs. */
  readonly accepted?: readonly string[]
  /** The direction of each score of the evaluations, by name. */
  readonly scores: Readonly<Record<string, Direction>>
}

/**
 * Returns the direction of a score, given the facts of the run's start. A misspelled name is thus reported before training.
 * @param option the option that names the score, for the error message
 * @throws AttuneError `UNKNOWN_SCORE` with the nearest existing name.
 */
export function directionOf({ scores }: Pick<RunFacts, 'scores'>, score: string, option: string): Direction {
  const direction = Object.hasOwn(scores, score) ? scores[score] : undefined
  if (direction !== undefined) return direction
  const names = Object.keys(scores)
  const [near = names[0]] = nearest(score, names)
  throw new AttuneError(
    'UNKNOWN_SCORE',
    `${option}: expected a score of the run, got "${score}"; available: ${names.join(', ')}`,
    `Write "${near}", or add the metric to \`metric:\` in the configuration.`,
  )
}

/** An event without a timestamp: its type, and its fields in `Events`. */
export type Unstamped<Events> = { [K in keyof Events]: { readonly type: K } & Events[K] }[keyof Events]

/** One event: its type, its time in milliseconds since 1970, and its fields in {@link RunEvents}. */
export type RunEvent = {
  [K in keyof RunEvents]: { readonly type: K; readonly at: number } & RunEvents[K]
}[keyof RunEvents]

/** An event without a timestamp. */
export type UntimedEvent = Unstamped<RunEvents>

/** The events of one type. */
export type EventOf<K extends keyof RunEvents> = { readonly type: K; readonly at: number } & RunEvents[K]

/**
 * RxJS operator that passes the events of one type.
 *
 * @example
 * ```ts
 * import { on, parseEvent } from '@attune/core'
 * import { of } from 'rxjs'
 * const start = parseEvent('{ "type": "epoch.started", "at": 0, "epoch": 0, "step": 0 }')
 * const warning = parseEvent('{ "type": "run.warned", "at": 9, "step": 5, "message": "loss spike" }')
 * of(start, warning).pipe(on('run.warned')).subscribe(({ step, message }) => console.log(step, message)) // 5 loss spike
 * ```
 */
export const on = <K extends keyof RunEvents>(type: K): OperatorFunction<RunEvent, EventOf<K>> =>
  filter((event: RunEvent): event is EventOf<K> & RunEvent => event.type === type)

/** The commands of a run, by type. Open to declaration merging, like {@link RunEvents}. */
export interface Commands {
  /** Finish the current step, save, and end the run. */
  stop: unknown
  /** Save a checkpoint after the current step. A labeled one is kept until another checkpoint gets the same label. */
  save: { readonly label?: string }
  /** Evaluate the validation split after the current step. */
  evaluate: unknown
  /** Multiply the learning rate by `factor` from the next step on. */
  scaleLearningRate: { readonly factor: number }
  /** Restore the weights of the checkpoint with this label. Handled only after `training.completed`. */
  restore: { readonly label: string }
  /** Append a plugin's own event to the run's log; it is replayed on resume like all others. */
  record: { readonly event: UntimedEvent }
}

/** A command. `because` is its reason, recorded in the run's log. */
export type Command = {
  [K in keyof Commands]: { readonly type: K; readonly because: string } & Commands[K]
}[keyof Commands]

/** The event stream of a run, for a plugin that `needs` it. */
export const EVENTS = kind<Observable<RunEvent>>('events', 'one')
