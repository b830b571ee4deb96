/** Errors that Python and Jinja2 raise during rendering. */
export type FailureKind =
  | 'AssertionError'
  | 'AttributeError'
  | 'FilterArgumentError'
  | 'IndexError'
  | 'KeyError'
  | 'LookupError'
  | 'OverflowError'
  | 'RecursionError'
  | 'RuntimeError'
  | 'SecurityError'
  | 'SyntaxError'
  | 'TemplateError'
  | 'TemplateRuntimeError'
  | 'TypeError'
  | 'UndefinedError'
  | 'UnicodeError'
  | 'ValueError'
  | 'ZeroDivisionError'
  /** A feature of Jinja2 or Python that is not supported. */
  | 'NotSupported'

/**
 * Raises a Python error.
 * @throws Error whose `name` is the kind
 */
export function fail(kind: FailureKind, message: string): never {
  throw Object.assign(new Error(message), { name: kind })
}

/** Steps for creating and catching an error. */
export const CAUGHT = 3000

/** True for an error of one of these kinds, created by {@link fail}. */
export const isFailure = (error: unknown, ...kinds: readonly FailureKind[]): boolean =>
  error instanceof Error && (kinds as readonly string[]).includes(error.name)

/** Raises a syntax error at a line. */
export function failSyntax(message: string, line: number): never {
  throw Object.assign(new Error(message), { name: 'SyntaxError', line })
}
