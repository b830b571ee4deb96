// @ts-check
/** Short descriptions of errors. */
import { isAttuneError } from '@attune/core'
import { withSources } from './hot.mjs'

/** Maximum number of lines of an error, and of characters per line. */
const [LINES, COLUMNS] = [6, 200]

/** An error with the top of its stack, mapped to the sources. @param {unknown} error */
export const shortly = (error) =>
  withSources(error instanceof Error ? (error.stack ?? String(error)) : String(error))
    .split('\n')
    .slice(0, LINES)
    .map((line) => line.slice(0, COLUMNS))
    .join('\n')

/** Category of an error: its name and innermost frame, or the code without a page. @param {unknown} error */
export function kindOfError(error) {
  if (isAttuneError(error)) return `AttuneError ${error.code} without a page`
  if (!(error instanceof Error)) return typeof error
  return `${error.name} ${(error.stack ?? '').split('\n').find((line) => /^\s+at /.test(line)) ?? ''}`
}
