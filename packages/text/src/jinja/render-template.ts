import type { Budget } from '@attune/core'
import { compileTemplate } from './compile/compile-template.js'
import { type Span, createRuntime } from './runtime.js'
import { plainReader } from './values/from-plain.js'
import type { Value } from './values/value.js'

/** A rendered template. */
export interface Rendering {
  readonly text: string
  /** Output of `{% generation %}` blocks, in UTF-16 units. */
  readonly spans: readonly Span[]
  /**
   * True if the output position of a generation block is unknown: it is in a set or filter block, or in a macro whose text was
   * used as a value.
   */
  readonly hasHiddenSpan: boolean
}

/** Template variables by name. */
export type Variables = ReadonlyMap<string, Value>

/** A compiled template. It can be rendered any number of times, each time with its own budget. */
export type Template = (variables: Variables, budget: Pick<Budget, 'spend' | 'hold'>, now?: () => Date) => Rendering

/** Runs a function and adds the template line to the message of its errors. */
function atLine<T>(run: () => T, line: () => number): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof Error) || 'code' in error) throw error
    const at = (error as { readonly line?: number }).line ?? line()
    const problem = error instanceof RangeError ? 'it is nested too deeply' : error.message
    throw new Error(`line ${at} of the template: ${problem}`, { cause: error })
  }
}

/**
 * Converts plain values to template variables: null, booleans, numbers, bigints, strings, arrays, and objects of these. Safe
 * integers become Python ints, other numbers floats. The budget's allowance grows with the size of the values.
 * @throws Error for functions, symbols and cyclic values
 */
export function readVariables(variables: Readonly<Record<string, unknown>>, budget: Budget): Variables {
  const read = plainReader(budget)
  return new Map(
    Object.entries(variables)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, read(value)] as const),
  )
}

/**
 * Compiles a Jinja2 template in the environment of transformers' chat templates.
 * @throws Error with the line of a syntax error; the budget's error for a template that is too large
 */
export function compile(template: string, budget: Budget): Template {
  const compiling = createRuntime(budget, () => new Date())
  const render = atLine(
    () => compileTemplate(compiling, template),
    () => compiling.line,
  )
  return (variables, spent, now = () => new Date()) => {
    const rt = createRuntime(spent, now)
    atLine(
      () => render(rt, variables),
      () => rt.line,
    )
    return { text: rt.sink.text, spans: rt.spans, hasHiddenSpan: rt.hasHiddenSpan }
  }
}
