import type { Expression } from '../parse/nodes.js'
import type { Value } from '../values/value.js'
import type { Activation, Evaluate, Frame } from './scope.js'

/** Compiles an operand of another expression. */
export const compileOperand = (frame: Frame, node: Expression): Evaluate => frame.compiler.expression(frame, node)

/** Compiles expressions to a function that evaluates all of them. */
export function compileAll(frame: Frame, nodes: readonly Expression[]): (activation: Activation) => Value[] {
  const items = nodes.map((node) => compileOperand(frame, node))
  return (a) => {
    const values: Value[] = []
    for (const item of items) values.push(item(a))
    return values
  }
}
