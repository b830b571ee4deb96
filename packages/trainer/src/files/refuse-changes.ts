import { AttuneError } from '@attune/core'

/** Changes that are listed one by one. */
const LISTED = 20

/** The error `RUN_CHANGED` with a list of what changed. */
export function refuseChanges(directory: string, changes: readonly string[]): AttuneError {
  const listed = changes.slice(0, LISTED).map((change) => `  ${change}`)
  const more = changes.length > LISTED ? [`  and ${changes.length - LISTED} more`] : []
  return new AttuneError(
    'RUN_CHANGED',
    `the run in ${directory} was started with other inputs or settings:\n${[...listed, ...more].join('\n')}`,
    `Put them back as they were, or go on with what is there now: attune train --resume ${directory} --accept-changes`,
  )
}
