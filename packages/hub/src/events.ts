import type { Unstamped } from '@attune/core'

/** Events of a download or an upload, by event type. */
export interface HubEvents {
  /** The files to download are known. */
  'download.started': {
    readonly name: string
    readonly revision: string
    readonly commit: string
    /** Number of files of the model. */
    readonly files: number
    /** Total bytes of all files. */
    readonly bytes: number
    /** Bytes of the files that are already cached. */
    readonly bytesCached: number
  }
  /** At most four per second. */
  'download.progressed': {
    /** Available bytes, including cached and partial files. */
    readonly bytesHere: number
    readonly bytes: number
    readonly bytesPerSecond: number
    /** Infinite until the first bytes are received. */
    readonly secondsLeft: number
  }
  /** A file is complete, verified and cached. */
  'file.completed': { readonly path: string; readonly bytes: number; readonly cached: boolean }
  /** A request failed and is retried after a pause. */
  'request.retried': { readonly because: string; readonly pauseSeconds: number }
  /** Another process is downloading the same file; this one waits for it. */
  'lock.awaited': { readonly path: string }
  /** A warning for the user. */
  'hub.warned': { readonly message: string }
  'download.completed': { readonly folder: string; readonly commit: string; readonly seconds: number }
  'upload.started': {
    readonly name: string
    /** True if the repository was created by this upload. */
    readonly created: boolean
    readonly added: readonly string[]
    readonly replaced: readonly string[]
    readonly unchanged: readonly string[]
    /** Total bytes of added and replaced files. */
    readonly bytes: number
  }
  /** At most four per second, and once at the end of each file. */
  'upload.progressed': {
    readonly path: string
    readonly doing: 'hashing' | 'sending'
    /** Progress of this file, in [0, 1]. */
    readonly share: number
  }
  'upload.completed': {
    /** Current commit of the branch. */
    readonly commit: string
    readonly url: string
    /** False if the repository already had all files. */
    readonly changed: boolean
    readonly seconds: number
  }
}

/** An event without its time. */
export type UnstampedHubEvent = Unstamped<HubEvents>

/** An event: its type, the time in milliseconds since 1970, and the fields that {@link HubEvents} lists for it. */
export type HubEvent = UnstampedHubEvent & { readonly at: number }

/** Emits an event. */
export type Emit = (event: UnstampedHubEvent) => void
