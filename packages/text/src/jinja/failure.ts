/** Kinds of errors that Python and Jinja2 raise while they render a template. */
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
  /** Something of Jinja2 or Python that is not supported here. */
  | 'NotSupported'

/**
 * Stops a rendering as Python would.
 * @throws Error whose `name` is the kind
 */
export function fail(kind: FailureKind, message: string): never {
  throw Object.assign(new Error(message), { name: kind })
}

/** Steps that making and catching an error takes. */
export const CAUGHT = 3000

/** True for an error of one of these kinds, made by {@link fail}. */
export const isFailure = (error: unknown, ...kinds: readonly FailureKind[]): boolean =>
  error instanceof Error && (kinds as readonly string[]).includes(error.name)

/** Stops the parsing of a template at a line. */
export function failSyntax(message: string, line: number): never {
  throw Object.assign(new Error(message), { name: 'SyntaxError', line })
}
