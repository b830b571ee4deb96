import { isAttuneError } from '@attune/core'
import { EXIT } from './exit-codes.js'

/** What to print on stderr for an error, and the exit code. */
export function describeError(error: unknown): { readonly text: string; readonly code: number } {
  if (isAttuneError(error))
    return {
      text: `${error.code}: ${error.problem}\n${error.remedy}\nMore: docs/errors/${error.code}.md`,
      code: EXIT.wrongInput,
    }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    text: `${stack}\n\nThis should not have happened. Please report it with the lines above.`,
    code: EXIT.unexpected,
  }
}
