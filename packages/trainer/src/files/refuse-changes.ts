import { AttuneError } from '@attune/core'

/** Changes that are listed one by one. */
const LISTED = 20

/** Changes as the lines of a message. */
export function listed(changes: readonly string[]): string {
  const lines = changes.slice(0, LISTED).map((change) => `  ${change}`)
  const more = changes.length > LISTED ? [`  and ${changes.length - LISTED} more`] : []
  return [...lines, ...more].join('\n')
}

/** The error `RUN_CHANGED` with a list of what changed. */
export function refuseChanges(directory: string, changes: readonly string[]): AttuneError {
  return new AttuneError(
    'RUN_CHANGED',
    `the run in ${directory} was started with other inputs or settings:\n${listed(changes)}`,
    `Put them back as they were, or go on with what is there now: attune train --resume ${directory} --accept-changes`,
  )
}
