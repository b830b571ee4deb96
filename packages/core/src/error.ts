import { escapeControls } from './excerpt.js'

/**
 * Error with a code, a problem and a remedy, for faults that a user can cause and fix.
 *
 * `code` is stable and has a page in `docs/errors`. `problem` states the fault, with the offending value and its location.
 * `remedy` states the fix, as a command to type if there is one. Both may quote untrusted files: control characters are escaped.
 *
 * @example
 * ```ts
 * import { AttuneError } from '@attune/core'
 * const error = new AttuneError('BAD_ARGUMENT', 'expected a rate > 0, got -1', 'Pass a positive rate.')
 * console.log(error.code, error.message.split('\n')) // BAD_ARGUMENT [ 'expected a rate > 0, got -1', 'Pass a positive rate.' ]
 * ```
 */
export class AttuneError extends Error {
  override readonly name = 'AttuneError'

  readonly problem: string
  readonly remedy: string

  constructor(
    readonly code: string,
    problem: string,
    remedy: string,
    options?: { readonly cause?: unknown },
  ) {
    const shown = [escapeControls(problem), escapeControls(remedy)] as const
    super(shown.join('\n'), options)
    ;[this.problem, this.remedy] = shown
  }
}

/**
 * True for an {@link AttuneError}. Checks the shape instead of the class, so that errors of a second copy of this package are
 * recognized too.
 */
export const isAttuneError = (value: unknown): value is AttuneError =>
  typeof value === 'object' && value !== null && 'code' in value && 'problem' in value && 'remedy' in value
