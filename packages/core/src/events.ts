import { type Observable, type OperatorFunction, filter } from 'rxjs'
import { AttuneError } from './error.js'
import { kind } from './kind.js'
import type { Direction, Score } from './kinds/metric.js'
import { nearest } from './nearest.js'

/**
 * What happens in a run, by event type. Open: a plugin adds its own by declaration merging,
 * `declare module '@attune/core' { interface RunEvents { 'my.event': { … } } }`.
 */
export interface RunEvents {
  /** Before a run begins: how far a plugin is that learns from the training examples (a vocabulary), twice a second at most. */
  'fit.progressed': {
    /** Kind and name of the plugin. */
    readonly plugin: string
    /** What is done: `texts read`. */
    readonly phase: string
    readonly done: number
    /** How much there is to do, where that is known. */
    readonly total?: number
    /** Since the phase began. */
    readonly seconds: number
  }
  /** Before a run begins: a stage of the training data is prepared (cleaned, filtered, balanced, augmented). */
  'stage.made': {
    /** Kind and name of the plugin: `filter duplicates`. */
    readonly stage: string
    readonly kind: string
    readonly examplesIn: number
    readonly examplesOut: number
    /** Examples that a filter left out, by its reason. */
    readonly because?: Readonly<Record<string, number>>
    /** The time that it took when it was made. */
    readonly seconds: number
    /** The file that keeps it; absent for a stage that is held in memory. */
    readonly path?: string
    /** True if it was found in the store. */
    readonly reused: boolean
  }
  /** A run begins at step 0. */
  'run.started': RunFacts
  /** A run goes on from the checkpoint of `step`. */
  'run.resumed': RunFacts & { readonly step: number; readonly checkpoint: string }
  /** A pass over the training examples begins; epochs count from 0. */
  'epoch.started': { readonly epoch: number; readonly step: number }
  /** One update of the parameters. Steps count from 1. */
  'step.completed': {
    readonly step: number
    readonly steps: number
    readonly epoch: number
    /** Mean loss of the batch, before the update. */
    readonly loss: number
    readonly learningRate: number
    /** Euclidean norm of the whole gradient, before clipping. */
    readonly gradientNorm: number
    readonly examples: number
    /** Tokens in the batch without padding. */
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
  /** Rows that a source left out, and where they were written. */
  'rows.rejected': { readonly split: string; readonly count: number; readonly path: string }
  /** Texts longer than the model takes, which lost their ends. */
  'texts.truncated': { readonly split: string; readonly count: number; readonly maximumLength: number }
  /** Word embeddings start from the vectors in a file: how many of the tokenizer's tokens have one there. */
  'vectors.loaded': { readonly path: string; readonly found: number; readonly tokens: number }
  /** A callback or the user told the run to do something. */
  'command.given': { readonly step: number; readonly command: Command }
  /** Something that does not stop the run but that its owner should know. */
  'run.warned': { readonly step: number; readonly message: string }
  /** The last step is done; what callbacks command now still bears on the model that is saved. */
  'training.completed': { readonly step: number; readonly because: string }
  'run.completed': {
    readonly step: number
    readonly seconds: number
    /** `finished`, or why it stopped early. */
    readonly because: string
    /** Where the model was saved, if the run has a folder. */
    readonly model?: string
  }
  'run.failed': { readonly step: number; readonly code: string; readonly problem: string; readonly remedy: string }
}

/** What a run knows of itself when it begins. */
export interface RunFacts {
  readonly seed: number
  readonly steps: number
  readonly epochs: number
  readonly examples: number
  readonly parameters: number
  readonly trainableParameters: number
  readonly engine: string
  readonly directory?: string
  /** The file in which the run keeps every event as a line of JSON, if it has a folder. */
  readonly log?: string
  /** What the user accepted as the run was resumed: settings and inputs that differ from those recorded, programs trusted. */
  readonly accepted?: readonly string[]
  /** The scores that evaluations will have, by name, and which way each is better. */
  readonly scores: Readonly<Record<string, Direction>>
}

/**
 * Which way a score is better, by what a run knew when it began: a misspelt name shows before any work is done.
 * @param option the option that names the score, for the message
 * @throws AttuneError `UNKNOWN_SCORE` with the nearest names there are.
 */
export function directionOf({ scores }: Pick<RunFacts, 'scores'>, score: string, option: string): Direction {
  const direction = Object.hasOwn(scores, score) ? scores[score] : undefined
  if (direction !== undefined) return direction
  const names = Object.keys(scores)
  const [near = names[0]] = nearest(score, names)
  throw new AttuneError(
    'UNKNOWN_SCORE',
    `${option} must name a score of the run, got "${score}"; there are ${names.join(', ')}`,
    `Write "${near}", or add the metric to \`metric:\` of the configuration.`,
  )
}

/** An event before it has a time: its type, and the fields that `Events` lists for it. */
export type Unstamped<Events> = { [K in keyof Events]: { readonly type: K } & Events[K] }[keyof Events]

/** One event: its type, the time in milliseconds since 1970, and the fields that {@link RunEvents} lists for it. */
export type RunEvent = {
  [K in keyof RunEvents]: { readonly type: K; readonly at: number } & RunEvents[K]
}[keyof RunEvents]

/** An event before it has a time. */
export type UntimedEvent = Unstamped<RunEvents>

/** The event of one type. */
export type EventOf<K extends keyof RunEvents> = { readonly type: K; readonly at: number } & RunEvents[K]

/** Lets through the events of one type: `events.pipe(on('evaluation.completed'))`. */
export const on = <K extends keyof RunEvents>(type: K): OperatorFunction<RunEvent, EventOf<K>> =>
  filter((event: RunEvent): event is EventOf<K> & RunEvent => event.type === type)

/** What a run can be told to do, by command type. Open to declaration merging, as {@link RunEvents} is. */
export interface Commands {
  /** Finish the step in flight, save, and end. */
  stop: unknown
  /** Write a checkpoint after the step in flight. One with a label is kept until another has the same label. */
  save: { readonly label?: string }
  /** Score the validation split after the step in flight. */
  evaluate: unknown
  /** Multiply the learning rate from the next step on. */
  scaleLearningRate: { readonly factor: number }
  /** Go back to the weights of the checkpoint that has this label. Answered only after `training.completed`. */
  restore: { readonly label: string }
  /** Add an event to the run's log: a plugin's own, replayed on resume like all others. */
  record: { readonly event: UntimedEvent }
}

/** A command is a value; `because` is the reason that the run's log keeps. */
export type Command = {
  [K in keyof Commands]: { readonly type: K; readonly because: string } & Commands[K]
}[keyof Commands]

/** The stream of a run's events, for a plugin that `needs` it. */
export const EVENTS = kind<Observable<RunEvent>>('events', 'one')
