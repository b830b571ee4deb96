import { setImmediate } from 'node:timers/promises'
import type { Unstamped } from '@attune/core'
import { Observable } from 'rxjs'
import type { WordVectors } from './word-vectors.js'

/** What happens while word vectors are trained, by event type. */
export interface EmbeddingEvents {
  /** The corpus was read for the first time. */
  'words.counted': {
    /** Words of the corpus, repeated ones counted too. */
    readonly tokens: number
    /** Words that get a vector. */
    readonly words: number
  }
  /** GloVe only: the corpus was read for the second and last time. */
  'pairs.counted': { readonly pairs: number }
  /** At most four a second. */
  'training.progressed': {
    readonly epoch: number
    readonly epochs: number
    /** Of the whole training, in [0, 1]. */
    readonly share: number
    /** Mean loss of a pair in this epoch so far. */
    readonly loss: number
    readonly learningRate: number
    readonly secondsLeft: number
  }
  /** Epochs count from 0. `loss` is the mean over the epoch's pairs, each before its update. */
  'epoch.completed': { readonly epoch: number; readonly loss: number; readonly pairs: number }
  'training.completed': { readonly vectors: WordVectors; readonly seconds: number }
}

/** An event before it has a time. */
export type UnstampedEmbeddingEvent = Unstamped<EmbeddingEvents>

/** One event: its type, the time in milliseconds since 1970, and the fields that {@link EmbeddingEvents} lists for it. */
export type EmbeddingEvent = UnstampedEmbeddingEvent & { readonly at: number }

/** A cold Observable of a training: each subscription trains anew, and one that is cancelled stops it. */
export const observed = (train: () => AsyncGenerator<UnstampedEmbeddingEvent, void>): Observable<EmbeddingEvent> =>
  new Observable((subscriber) => {
    const run = async (): Promise<void> => {
      for await (const happening of train()) {
        if (subscriber.closed) return
        subscriber.next({ ...happening, at: Date.now() })
      }
    }
    run().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    )
  })

const INTERVAL_MILLISECONDS = 250

/** How far a training has come. */
export interface Pace {
  /** Lets other work of the process have its turn. Gives whether it is time for an event. */
  breathe(): Promise<boolean>
  secondsLeft(share: number): number
  seconds(): number
}

/** Measures a training that begins now. */
export function pace(): Pace {
  const start = performance.now()
  let last = start
  const seconds = (): number => (performance.now() - start) / 1000
  return {
    seconds,
    secondsLeft: (share) => (share > 0 ? (seconds() * (1 - share)) / share : Infinity),
    async breathe() {
      await setImmediate()
      const now = performance.now()
      if (now - last < INTERVAL_MILLISECONDS) return false
      last = now
      return true
    },
  }
}
