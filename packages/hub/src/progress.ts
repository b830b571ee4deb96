import type { Tell } from './events.js'

const EVERY_MILLISECONDS = 250

/** Adds up what has come of several files. */
export interface Progress {
  /** Sets how many bytes of one file are here. */
  set(path: string, bytesHere: number): void
  /** Tells the last state. */
  finish(): void
}

/**
 * Tells at most four times a second how far a download is. The rate is that of what came since the first byte after what
 * was here before, so that parts from earlier attempts do not count as speed.
 */
export function trackProgress(bytes: number, bytesCached: number, tell: Tell, now = Date.now): Progress {
  const here = new Map<string, number>()
  const before = new Map<string, number>()
  const began = now()
  let toldAt = -Infinity
  const show = (): void => {
    const sum = (each: Map<string, number>): number => [...each.values()].reduce((total, n) => total + n, 0)
    const bytesHere = bytesCached + sum(here)
    const seconds = Math.max((now() - began) / 1000, 1e-3)
    const bytesPerSecond = Math.max(0, sum(here) - sum(before)) / seconds
    const secondsLeft = bytesHere >= bytes ? 0 : (bytes - bytesHere) / bytesPerSecond
    tell({ type: 'download.progressed', bytesHere, bytes, bytesPerSecond, secondsLeft })
    toldAt = now()
  }
  return {
    set(path, bytesHere) {
      if (!before.has(path)) before.set(path, bytesHere)
      here.set(path, bytesHere)
      if (now() - toldAt >= EVERY_MILLISECONDS) show()
    },
    finish: show,
  }
}
