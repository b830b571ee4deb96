import { failSyntax } from '../failure.js'
import type { Attribute, Binary, Compare, Expression, Item, Sequence } from '../parse/nodes.js'
import { type Runtime, chargeEntries } from '../runtime.js'
import { type BinaryOperator, binary, join, joinMarkup, unary } from '../values/arithmetic.js'
import { getAttribute, getItem, undefinedBecause, undefinedName } from '../values/attribute.js'
import { dictOf } from '../values/dict.js'
import { equals } from '../values/equality.js'
import { type Order, compare } from '../values/ordering.js'
import { isIn, isTrue, slice } from '../values/sequence.js'
import type { Value } from '../values/value.js'
import { operandsOf } from './children.js'
import { compileCall, compileFilter, compileTest } from './compile-call.js'
import { compileAll } from './compile-operands.js'
import { type Evaluate, type Frame, enclosingActivation, slotOfName } from './scope.js'

/** Minimum number of steps that an expression takes, from its number of nodes. */
export function costOf(rt: Runtime, node: Expression): number {
  rt.spend(4)
  return operandsOf(node).reduce((sum, operand) => sum + costOf(rt, operand), 4)
}

function compileName(frame: Frame, name: string): Evaluate {
  const { hops, index } = slotOfName(frame, name)
  const missing = undefinedName(name)
  if (hops === 0)
    return ({ slots }) => {
      const value = slots[index]
      return value === undefined ? missing : value
    }
  return (activation) => {
    const value = enclosingActivation(activation, hops).slots[index]
    return value === undefined ? missing : value
  }
}

function compileBinary(frame: Frame, { operator, left, right }: Binary): Evaluate {
  const [first, second] = [compileExpression(frame, left), compileExpression(frame, right)]
  if (operator === 'and')
    return (a) => {
      const value = first(a)
      return isTrue(a.rt, value) ? second(a) : value
    }
  if (operator === 'or')
    return (a) => {
      const value = first(a)
      return isTrue(a.rt, value) ? value : second(a)
    }
  return (a) => {
    const value = first(a)
    return binary(a.rt, operator as BinaryOperator, value, second(a))
  }
}

type Comparison = (rt: Runtime, left: Value, right: Value) => boolean

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  '==': (rt, left, right) => equals(rt, left, right),
  '!=': (rt, left, right) => !equals(rt, left, right),
  in: isIn,
  'not in': (rt, left, right) => !isIn(rt, left, right),
}

const comparisonOf = (operator: string): Comparison =>
  COMPARISONS[operator] ?? ((rt, left, right) => compare(rt, operator as Order, left, right))

function compileCompare(frame: Frame, { first, rest }: Compare): Evaluate {
  const start = compileExpression(frame, first)
  const steps = rest.map(([operator, operand]) => ({
    holds: comparisonOf(operator),
    operand: compileExpression(frame, operand),
  }))
  if (steps.length === 1) {
    const [{ holds, operand }] = steps as [(typeof steps)[number]]
    return (a) => {
      const value = start(a)
      return holds(a.rt, value, operand(a))
    }
  }
  return (a) => {
    let left = start(a)
    for (const { holds, operand } of steps) {
      const right = operand(a)
      if (!holds(a.rt, left, right)) return false
      left = right
    }
    return true
  }
}

function compileItem(frame: Frame, { object, key }: Item): Evaluate {
  const of = compileExpression(frame, object)
  if (key.type === 'slice') {
    const [from, to, by] = key.parts.map((part) => (part === undefined ? () => null : compileExpression(frame, part)))
    return (a) => {
      const value = of(a)
      return slice(a.rt, value, from!(a), to!(a), by!(a))
    }
  }
  const at = compileExpression(frame, key)
  return (a) => {
    const value = of(a)
    return getItem(a.rt, value, at(a))
  }
}

function compileConditional(frame: Frame, node: Extract<Expression, { type: 'conditional' }>): Evaluate {
  const soft: Frame = { ...frame, isSoft: true }
  const [test, then] = [compileExpression(soft, node.test), compileExpression(soft, node.then)]
  const missing = undefinedBecause(
    `the inline if-expression on line ${node.line} evaluated to false and no else section was defined.`,
  )
  const otherwise = node.otherwise === undefined ? () => missing : compileExpression(soft, node.otherwise)
  return (a) => (isTrue(a.rt, test(a)) ? then(a) : otherwise(a))
}

function compileDict(frame: Frame, pairs: readonly (readonly [Expression, Expression])[]): Evaluate {
  const values = compileAll(frame, pairs.flat())
  return (a) => {
    const flat = values(a)
    return dictOf(
      a.rt,
      pairs.map((_, at) => [flat[2 * at]!, flat[2 * at + 1]!] as const),
    )
  }
}

function compileUnary(frame: Frame, operator: 'not' | '-' | '+', node: Expression): Evaluate {
  const operand = compileExpression(frame, node)
  if (operator === 'not') return (a) => !isTrue(a.rt, operand(a))
  return (a) => unary(a.rt, operator, operand(a))
}

const compileConstant =
  (value: Value): Evaluate =>
  () =>
    value

function compileSequence(frame: Frame, { items, type: kind }: Sequence): Evaluate {
  const values = compileAll(frame, items)
  return (a) => {
    chargeEntries(a.rt, items.length)
    return { kind, items: values(a) }
  }
}

function compileConcat(frame: Frame, nodes: readonly Expression[]): Evaluate {
  const items = compileAll(frame, nodes)
  return frame.autoescape === true ? (a) => joinMarkup(a.rt, items(a)) : (a) => join(a.rt, items(a))
}

function compileAttribute(frame: Frame, node: Attribute): Evaluate {
  const object = compileExpression(frame, node.object)
  return (a) => getAttribute(a.rt, object(a), node.name)
}

/**
 * Compiles an expression.
 * @throws SyntaxError with the line of an unknown filter or test
 */
export function compileExpression(frame: Frame, node: Expression): Evaluate {
  switch (node.type) {
    case 'constant':
    case 'data':
      return compileConstant(node.type === 'data' ? node.text : node.value)
    case 'name':
      return compileName(frame, node.name)
    case 'tuple':
    case 'list':
      return compileSequence(frame, node)
    case 'dict':
      return compileDict(frame, node.pairs)
    case 'conditional':
      return compileConditional(frame, node)
    case 'binary':
      return compileBinary(frame, node)
    case 'unary':
      return compileUnary(frame, node.operator, node.operand)
    case 'concat':
      return compileConcat(frame, node.items)
    case 'compare':
      return compileCompare(frame, node)
    case 'attribute':
      return compileAttribute(frame, node)
    case 'item':
      return compileItem(frame, node)
    case 'call':
      return compileCall(frame, node)
    case 'filter':
      return compileFilter(frame, node)
    case 'test':
      return compileTest(frame, node)
    case 'slice':
    case 'namespace':
      return failSyntax(`unexpected ${node.type}`, node.line)
  }
}
