import type { Unstamped } from '@attune/core'

/** What happens while a model comes or goes, by event type. */
export interface HubEvents {
  /** What is to be done is known. */
  'download.started': {
    readonly name: string
    readonly revision: string
    readonly commit: string
    /** How many files the model has. */
    readonly files: number
    /** Bytes of all files. */
    readonly bytes: number
    /** Those of them that are in the cache already. */
    readonly bytesCached: number
  }
  /** At most four a second. */
  'download.progressed': {
    /** Bytes that are here, cached ones and parts of files among them. */
    readonly bytesHere: number
    readonly bytes: number
    readonly bytesPerSecond: number
    /** Infinite until something came. */
    readonly secondsLeft: number
  }
  /** A file is whole, its digest is right, and it is in the cache. */
  'file.completed': { readonly path: string; readonly bytes: number; readonly cached: boolean }
  /** The Hub did not answer, or not well, and is asked again after a pause. */
  'request.retried': { readonly because: string; readonly pauseSeconds: number }
  /** Another process fetches the same file, and is waited for. */
  'lock.awaited': { readonly path: string }
  /** Something that its owner should know. */
  'hub.warned': { readonly message: string }
  'download.completed': { readonly folder: string; readonly commit: string; readonly seconds: number }
  'upload.started': {
    readonly name: string
    /** Whether the repository was made for it. */
    readonly created: boolean
    readonly added: readonly string[]
    readonly replaced: readonly string[]
    readonly unchanged: readonly string[]
    /** Bytes of what is added or replaced. */
    readonly bytes: number
  }
  /** At most four a second, and the end of each file. */
  'upload.progressed': {
    readonly path: string
    readonly doing: 'hashing' | 'sending'
    /** Of this file, in [0, 1]. */
    readonly share: number
  }
  'upload.completed': {
    /** The commit on the branch now. */
    readonly commit: string
    readonly url: string
    /** False where the repository had all of it already. */
    readonly changed: boolean
    readonly seconds: number
  }
}

/** An event before it has a time. */
export type UnstampedHubEvent = Unstamped<HubEvents>

/** One event: its type, the time in milliseconds since 1970, and the fields that {@link HubEvents} lists for it. */
export type HubEvent = UnstampedHubEvent & { readonly at: number }

/** Tells whoever listens what happens. */
export type Tell = (happening: UnstampedHubEvent) => void
