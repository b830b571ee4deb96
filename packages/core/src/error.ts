import { escapeControls } from './excerpt.js'

/**
 * An error that a user can cause and fix.
 *
 * `code` is stable and has a page in `docs/errors`; `problem` says what is wrong, with the offending value and
 * where it stands; `remedy` says what to do, as the line to type where there is one. Both may quote files from anywhere:
 * control characters in them are escaped.
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
 * Tells an {@link AttuneError} from any other thrown value by its shape, so that an error made by a second copy of
 * this package is recognised too.
 */
export const isAttuneError = (value: unknown): value is AttuneError =>
  typeof value === 'object' && value !== null && 'code' in value && 'problem' in value && 'remedy' in value
