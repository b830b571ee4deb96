/**
 * An error that a user can cause and mend.
 *
 * `code` is stable and has a page in `docs/errors`; `problem` says what is wrong, with the offending value and
 * where it stands; `remedy` says what to do, as the line to type where there is one.
 */
export class AttuneError extends Error {
  override readonly name = 'AttuneError'

  constructor(
    readonly code: string,
    readonly problem: string,
    readonly remedy: string,
    options?: { readonly cause?: unknown },
  ) {
    super(`${problem}\n${remedy}`, options)
  }
}

/**
 * Tells an {@link AttuneError} from any other thrown value by its shape, so that an error made by a second copy of
 * this package is recognised too.
 */
export const isAttuneError = (value: unknown): value is AttuneError =>
  typeof value === 'object' && value !== null && 'code' in value && 'problem' in value && 'remedy' in value
