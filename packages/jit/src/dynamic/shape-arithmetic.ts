import type { Builder } from '../builder.js'
import type { ElementType, Value } from '../graph.js'
import { cast } from '../lower/lowering.js'
import {
  type Expression,
  addExpressions,
  axesOf,
  constantOf,
  multiplyExpressions,
  sameExpression,
  textOf,
} from './expression.js'

/** Value that a run computes from the sizes of its inputs. */
export interface ShapeArithmetic {
  /** One expression, int64 `[1]`. */
  one(expression: Expression): Value
  /** Several expressions, int64 `[n]`. */
  vector(expressions: readonly Expression[]): Value
  /** `start, start + step, …`, `length` numbers, of this type. */
  sequence(start: Expression, step: Expression, length: Expression, type: Sequence): Value
  /** Target shape of a reshape of a value with the dimensions `from` to the dimensions `to`, int64 `[n]`. */
  target(from: readonly Expression[], to: readonly Expression[]): Value
}

/** Element type and number of elements, in the first trace, of a sequence. */
export interface Sequence {
  readonly dtype: ElementType
  readonly count: number
}

const ONE = { dtype: 'int64', shape: [1] } as const

/** Returns a function that adds nodes which compute an expression, once for each expression. */
function computing(b: Builder, axis: (name: string) => Value): ShapeArithmetic['one'] {
  const known = new Map<string, Value>()
  const product = (axes: string, factor: number): Value => {
    const sizes = axesOf(axes).map(axis)
    const factors = factor === 1 && sizes.length > 0 ? sizes : [b.constant('int64', [factor]), ...sizes]
    return factors.reduce((left, right) => b.node('Mul', [left, right], ONE))
  }
  const make = (expression: Expression): Value =>
    expression.size === 0
      ? b.constant('int64', [0])
      : [...expression]
          .map(([axes, factor]) => product(axes, factor))
          .reduce((left, right) => b.node('Add', [left, right], ONE))
  return (expression) => {
    const text = textOf(expression)
    const value = known.get(text) ?? make(expression)
    known.set(text, value)
    return value
  }
}

/** Expressions as a vector; neighbouring constants are one constant. */
function vectorOf(b: Builder, one: ShapeArithmetic['one'], expressions: readonly Expression[]): Value {
  const parts: (Value | number[])[] = []
  for (const each of expressions) {
    const [fixed, last] = [constantOf(each), parts.at(-1)]
    if (fixed === undefined) parts.push(one(each))
    else if (Array.isArray(last)) last.push(fixed)
    else parts.push([fixed])
  }
  const values = parts.map((part) => (Array.isArray(part) ? b.constant('int64', part) : part))
  if (values.length < 2) return values[0] ?? b.constant('int64', [])
  const type = { dtype: 'int64', shape: [expressions.length] } as const
  return b.node('Concat', values, type, { attributes: { axis: { int: 0 } } })
}

/** Adds nodes to `b` that compute expressions; `axis` returns the size of an axis as int64 `[1]`. */
export function shapeArithmetic(b: Builder, axis: (name: string) => Value): ShapeArithmetic {
  const one = computing(b, axis)
  const vector = (expressions: readonly Expression[]): Value => vectorOf(b, one, expressions)
  const scalar = (expression: Expression): Value => {
    const fixed = constantOf(expression)
    if (fixed !== undefined) return b.constant('int64', [fixed], [])
    return b.node('Squeeze', [one(expression)], { dtype: 'int64', shape: [] })
  }
  return {
    one,
    vector,
    sequence(start, step, length, { dtype, count }) {
      const limit = addExpressions(start, multiplyExpressions(step, length))
      const inputs = [start, limit, step].map(scalar)
      return cast(b, b.node('Range', inputs, { dtype: 'int64', shape: [count] }), dtype)
    },
    target(from, to) {
      // 0 copies the dimension of the input, and −1 stands for the only other one.
      const kept = to.map((each, i) => constantOf(each) ?? (from[i] && sameExpression(from[i], each) ? 0 : -1))
      return kept.filter((n) => n === -1).length > 1 ? vector(to) : b.constant('int64', kept)
    },
  }
}
