import type { Emit } from './events.js'

const EVERY_MILLISECONDS = 250

/** Accumulates the progress of several files. */
export interface Progress {
  /** Sets the available bytes of one file. */
  set(path: string, bytesHere: number): void
  /** Emits the final state. */
  finish(): void
}

/** Emits the progress of a download at most four times per second. The rate excludes bytes of earlier attempts. */
export function trackProgress(bytes: number, bytesCached: number, emit: Emit, now = Date.now): Progress {
  const here = new Map<string, number>()
  const before = new Map<string, number>()
  const began = now()
  let emittedAt = -Infinity
  const show = (): void => {
    const sum = (each: Map<string, number>): number => [...each.values()].reduce((total, n) => total + n, 0)
    const bytesHere = bytesCached + sum(here)
    const seconds = Math.max((now() - began) / 1000, 1e-3)
    const bytesPerSecond = Math.max(0, sum(here) - sum(before)) / seconds
    const secondsLeft = bytesHere >= bytes ? 0 : (bytes - bytesHere) / bytesPerSecond
    emit({ type: 'download.progressed', bytesHere, bytes, bytesPerSecond, secondsLeft })
    emittedAt = now()
  }
  return {
    set(path, bytesHere) {
      if (!before.has(path)) before.set(path, bytesHere)
      here.set(path, bytesHere)
      if (now() - emittedAt >= EVERY_MILLISECONDS) show()
    },
    finish: show,
  }
}
