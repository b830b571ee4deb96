import type { ReportProgress, UntimedEvent } from '@attune/core'

/** Minimum interval between reports; shorter phases are not reported. */
const EVERY_MILLISECONDS = 500

/** Emits the progress of a plugin's `fit` as throttled events. `now` is in milliseconds. */
export function fitProgress(
  plugin: string,
  emit: (event: UntimedEvent) => void,
  now: () => number = () => performance.now(),
): ReportProgress {
  let [begun, reported] = [0, 0]
  let current: string | undefined
  return (phase, done, total) => {
    const at = now()
    if (phase !== current) [current, begun, reported] = [phase, at, at]
    if (at - reported < EVERY_MILLISECONDS) return
    reported = at
    const seconds = (at - begun) / 1000
    emit({ type: 'fit.progressed', plugin, phase, done, seconds, ...(total === undefined ? {} : { total }) })
  }
}
