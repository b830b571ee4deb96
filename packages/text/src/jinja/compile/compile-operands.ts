import type { Expression } from '../parse/nodes.js'
import type { Value } from '../values/value.js'
import type { Activation, Evaluate, Frame } from './scope.js'

/** Compiles an expression that is part of another one. */
export const compileOperand = (frame: Frame, node: Expression): Evaluate => frame.compiler.expression(frame, node)

/** Compiles expressions to a function of their values. */
export function compileAll(frame: Frame, nodes: readonly Expression[]): (activation: Activation) => Value[] {
  const items = nodes.map((node) => compileOperand(frame, node))
  return (a) => {
    const values: Value[] = []
    for (const item of items) values.push(item(a))
    return values
  }
}
