import type { Budget } from '@attune/core'
import { compileTemplate } from './compile/compile-template.js'
import { type Span, createRuntime } from './runtime.js'
import { plainReader } from './values/from-plain.js'
import type { Value } from './values/value.js'

/** A text that a template made. */
export interface Rendering {
  readonly text: string
  /** Parts that `{% generation %}` blocks wrote, in UTF-16 units. */
  readonly spans: readonly Span[]
  /**
   * True if such a block wrote where its position in the text is unknown: in a set or filter block, or in a macro whose text
   * was used as a value.
   */
  readonly hasHiddenSpan: boolean
}

/** Variables of a template by name. */
export type Variables = ReadonlyMap<string, Value>

/** A compiled template. It renders any number of times, each time within a budget. */
export type Template = (variables: Variables, budget: Pick<Budget, 'spend' | 'hold'>, now?: () => Date) => Rendering

/** Runs what may fail at a line of a template, and puts the line into the message. */
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
 * Converts plain values to variables of templates: null, booleans, numbers, bigints, strings, arrays, and objects of such. A
 * number that is a safe integer is an int of Python, any other number a float. The budget grows with what is read.
 * @throws Error for functions, symbols, and values that contain themselves
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
 * Compiles a template of Jinja2, in the environment that transformers gives to chat templates.
 * @throws Error with the line for what is not a template; the budget's error for one that is too large
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
