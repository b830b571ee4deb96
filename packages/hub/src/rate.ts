import { HUB_LIMITS } from './limits.js'

/**
 * Measures the mean rate of a body over windows of `HUB_LIMITS.rateSeconds`. The returned function takes the bytes of
 * a chunk and the seconds of waiting for it, and returns true if a window ended with less than
 * `HUB_LIMITS.bytesPerSecond`. Time without waiting, such as writing to disk, does not count.
 */
export function trackRate(): (bytes: number, seconds: number) => boolean {
  let [windowBytes, windowSeconds] = [0, 0]
  return (bytes, seconds) => {
    windowBytes += bytes
    windowSeconds += seconds
    if (windowSeconds < HUB_LIMITS.rateSeconds) return false
    const slow = windowBytes < windowSeconds * HUB_LIMITS.bytesPerSecond
    ;[windowBytes, windowSeconds] = [0, 0]
    return slow
  }
}
