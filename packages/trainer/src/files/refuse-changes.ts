import { AttuneError } from '@attune/core'

/** Maximum number of listed changes. */
const LISTED = 20

/** Formats changes as lines of a message. */
export function formatList(changes: readonly string[]): string {
  const lines = changes.slice(0, LISTED).map((change) => `  ${change}`)
  const more = changes.length > LISTED ? [`  and ${changes.length - LISTED} more`] : []
  return [...lines, ...more].join('\n')
}

/** Returns the error `RUN_CHANGED` with a list of changes. */
export function refuseChanges(directory: string, changes: readonly string[]): AttuneError {
  return new AttuneError(
    'RUN_CHANGED',
    `the run in ${directory} was started with different inputs or settings:\n${formatList(changes)}`,
    `Restore them, or accept the current state: npx attune train --resume ${directory} --accept-changes`,
  )
}
