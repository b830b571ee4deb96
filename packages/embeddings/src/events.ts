import { setImmediate } from 'node:timers/promises'
import type { Unstamped } from '@attune/core'
import { Observable } from 'rxjs'
import type { WordVectors } from './word-vectors.js'

/** The events of word vector training, by type. */
export interface EmbeddingEvents {
  /** The vocabulary was counted. */
  'words.counted': {
    /** Number of tokens in the corpus. */
    readonly tokens: number
    /** Number of words that get a vector. */
    readonly words: number
  }
  /** GloVe only: the co-occurrences were counted. */
  'pairs.counted': { readonly pairs: number }
  /** Progress, at most four times a second. */
  'training.progressed': {
    readonly epoch: number
    readonly epochs: number
    /** Fraction of the training that is complete, in [0, 1]. */
    readonly share: number
    /** Mean loss per pair in this epoch so far. */
    readonly loss: number
    readonly learningRate: number
    readonly secondsLeft: number
  }
  /** An epoch is complete; epochs count from 0. `loss` is the mean over the pairs, each before its update. */
  'epoch.completed': { readonly epoch: number; readonly loss: number; readonly pairs: number }
  'training.completed': { readonly vectors: WordVectors; readonly seconds: number }
}

/** An event without a timestamp. */
export type UnstampedEmbeddingEvent = Unstamped<EmbeddingEvents>

/** One event: its type, its time in milliseconds since 1970, and its fields in {@link EmbeddingEvents}. */
export type EmbeddingEvent = UnstampedEmbeddingEvent & { readonly at: number }

/** Converts a training into a cold Observable: each subscription starts a training, and unsubscribing stops it. */
export const observed = (train: () => AsyncGenerator<UnstampedEmbeddingEvent, void>): Observable<EmbeddingEvent> =>
  new Observable((subscriber) => {
    const run = async (): Promise<void> => {
      for await (const event of train()) {
        if (subscriber.closed) return
        subscriber.next({ ...event, at: Date.now() })
      }
    }
    run().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    )
  })

const INTERVAL_MILLISECONDS = 250

/** Timing of a training. */
export interface Timer {
  /** Yields to the event loop. Returns true if a progress event is due. */
  yieldToEventLoop(): Promise<boolean>
  /** Estimates the remaining time from the fraction that is complete. */
  secondsLeft(fraction: number): number
  /** Returns the time since the start. */
  seconds(): number
}

/** Starts the timer of a training. */
export function startTimer(): Timer {
  const start = performance.now()
  let last = start
  const seconds = (): number => (performance.now() - start) / 1000
  return {
    seconds,
    secondsLeft: (fraction) => (fraction > 0 ? (seconds() * (1 - fraction)) / fraction : Infinity),
    async yieldToEventLoop() {
      await setImmediate()
      const now = performance.now()
      if (now - last < INTERVAL_MILLISECONDS) return false
      last = now
      return true
    },
  }
}
