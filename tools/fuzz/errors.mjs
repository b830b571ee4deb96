// @ts-check
/** Errors in few words. */
import { isAttuneError } from '@attune/core'
import { withSources } from './hot.mjs'

/** Lines of an error that are shown, and the characters of each. */
const [LINES, COLUMNS] = [6, 200]

/** An error with the beginning of its stack, in the sources. @param {unknown} error */
export const shortly = (error) =>
  withSources(error instanceof Error ? (error.stack ?? String(error)) : String(error))
    .split('\n')
    .slice(0, LINES)
    .map((line) => line.slice(0, COLUMNS))
    .join('\n')

/** The kind of an error: its name and the innermost frame, or the code that has no page. @param {unknown} error */
export function kindOfError(error) {
  if (isAttuneError(error)) return `AttuneError ${error.code} without a page`
  if (!(error instanceof Error)) return typeof error
  return `${error.name} ${(error.stack ?? '').split('\n').find((line) => /^\s+at /.test(line)) ?? ''}`
}
