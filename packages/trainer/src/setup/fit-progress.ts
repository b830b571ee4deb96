import type { ReportProgress, UntimedEvent } from '@attune/core'

/** Progress is told twice a second at most, and not of what takes no longer. */
const EVERY_MILLISECONDS = 500

/** What a plugin's `fit` reports as events, now and then. `now` is in milliseconds. */
export function fitProgress(
  plugin: string,
  emit: (event: UntimedEvent) => void,
  now: () => number = () => performance.now(),
): ReportProgress {
  let [begun, told] = [0, 0]
  let current: string | undefined
  return (phase, done, total) => {
    const at = now()
    if (phase !== current) [current, begun, told] = [phase, at, at]
    if (at - told < EVERY_MILLISECONDS) return
    told = at
    const seconds = (at - begun) / 1000
    emit({ type: 'fit.progressed', plugin, phase, done, seconds, ...(total === undefined ? {} : { total }) })
  }
}
