import { GLOBALS } from '../globals.js'
import { parseTemplate } from '../parse/parse-template.js'
import type { Runtime } from '../runtime.js'
import type { Value } from '../values/value.js'
import { compileFunction, selfVariable } from './compile-block.js'
import { compileExpression } from './compile-expression.js'
import { compileStatement } from './compile-statement.js'
import { type Frame, functionIn } from './scope.js'
import { symbolsIn } from './symbols.js'

/** Renders a compiled template with variables; the output goes to the sink of the runtime. */
export type Render = (rt: Runtime, variables: ReadonlyMap<string, Value>) => void

/**
 * Compiles a template to closures, one per statement and expression.
 * @throws SyntaxError with the line of invalid syntax
 */
export function compileTemplate(rt: Runtime, template: string): Render {
  const frame: Frame = {
    rt,
    compiler: { expression: compileExpression, statement: compileStatement },
    symbols: symbolsIn(undefined),
    scope: functionIn(undefined),
    isTopLevel: true,
    isSoft: false,
    isInLoop: false,
    autoescape: false,
    blocks: new Map(),
  }
  const run = compileFunction(frame, parseTemplate(rt, template), [selfVariable(frame)])
  return (runtime, variables) => {
    const context = { parent: new Map([...GLOBALS, ...variables]), vars: new Map() }
    run({ rt: runtime, context, slots: [], outer: undefined })
  }
}
