import { failSyntax } from '../failure.js'
import { type Cursor, type TupleOptions, heightOf } from './cursor.js'
import type { Expression } from './nodes.js'
import { parseFilters, parsePostfix, parsePrimary } from './parse-operand.js'

/** Parses a kind of expression. */
type Parse = (cursor: Cursor) => Expression

/** Creates a parser of left-associative operators of one precedence. */
function leftToRight(operand: Parse, operatorAt: (cursor: Cursor) => string | undefined): Parse {
  return (cursor) => {
    let left = operand(cursor)
    for (let operator = operatorAt(cursor); operator !== undefined; operator = operatorAt(cursor)) {
      const { line } = cursor.next()
      const right = operand(cursor)
      left = { type: 'binary', operator, left, right, line, height: heightOf(line, [left, right]) }
    }
    return left
  }
}

const wordAt =
  (word: string) =>
  (cursor: Cursor): string | undefined =>
    cursor.is('name', word) ? word : undefined

const symbolAt =
  (...types: readonly string[]) =>
  (cursor: Cursor): string | undefined => {
    const { type, value } = cursor.current()
    return types.includes(type) ? value : undefined
  }

const parsePower: Parse = leftToRight((cursor) => parseUnary(cursor, true), symbolAt('pow'))
const parseProduct: Parse = leftToRight(parsePower, symbolAt('mul', 'div', 'floordiv', 'mod'))

function parseConcat(cursor: Cursor): Expression {
  const { line } = cursor.current()
  const items = [parseProduct(cursor)]
  while (cursor.skipIf('tilde')) items.push(parseProduct(cursor))
  return items.length === 1 ? items[0]! : { type: 'concat', items, line, height: heightOf(line, items) }
}

const parseSum: Parse = leftToRight(parseConcat, symbolAt('add', 'sub'))

const COMPARISONS = new Set(['eq', 'ne', 'lt', 'lteq', 'gt', 'gteq'])

function comparisonAt(cursor: Cursor): string | undefined {
  const { type, value } = cursor.current()
  if (COMPARISONS.has(type)) return cursor.next().value
  if (cursor.skipIf('name', 'in')) return 'in'
  const next = cursor.look()
  if (type !== 'name' || value !== 'not' || next.type !== 'name' || next.value !== 'in') return undefined
  cursor.next()
  cursor.next()
  return 'not in'
}

function parseCompare(cursor: Cursor): Expression {
  const { line } = cursor.current()
  const first = parseSum(cursor)
  const rest: [string, Expression][] = []
  for (let operator = comparisonAt(cursor); operator !== undefined; operator = comparisonAt(cursor))
    rest.push([operator, parseSum(cursor)])
  if (rest.length === 0) return first
  return { type: 'compare', first, rest, line, height: heightOf(line, [first, ...rest.map(([, operand]) => operand)]) }
}

function parseNot(cursor: Cursor): Expression {
  if (!cursor.is('name', 'not')) return parseCompare(cursor)
  const { line } = cursor.next()
  const operand = cursor.nested(1, () => parseNot(cursor))
  return { type: 'unary', operator: 'not', operand, line, height: heightOf(line, [operand]) }
}

const parseAnd: Parse = leftToRight(parseNot, wordAt('and'))
const parseOr: Parse = leftToRight(parseAnd, wordAt('or'))

function parseConditional(cursor: Cursor): Expression {
  let { line } = cursor.current()
  let then = parseOr(cursor)
  while (cursor.skipIf('name', 'if')) {
    const test = parseOr(cursor)
    const otherwise = cursor.skipIf('name', 'else') ? cursor.nested(1, () => parseConditional(cursor)) : undefined
    then = { type: 'conditional', test, then, otherwise, line, height: heightOf(line, [test, then, otherwise]) }
    line = cursor.current().line
  }
  return then
}

function parseUnary(cursor: Cursor, hasFilters: boolean): Expression {
  const { type, line } = cursor.current()
  let node: Expression
  if (type === 'sub' || type === 'add') {
    cursor.next()
    const operand = cursor.nested(1, () => parseUnary(cursor, false))
    node = { type: 'unary', operator: type === 'sub' ? '-' : '+', operand, line, height: heightOf(line, [operand]) }
  } else node = parsePrimary(cursor, false)
  node = parsePostfix(cursor, node)
  return hasFilters ? parseFilters(cursor, node) : node
}

/**
 * Parses an expression.
 * @throws SyntaxError with the line of invalid syntax
 */
export const parseExpression = (cursor: Cursor): Expression => cursor.nested(4, () => parseConditional(cursor))

const isTupleEnd = (cursor: Cursor, end: string | undefined): boolean =>
  cursor.is('variable_end') ||
  cursor.is('block_end') ||
  cursor.is('rparen') ||
  (end !== undefined && cursor.is('name', end))

/** Parses an expression, or a tuple if it contains commas. */
export function parseTuple(cursor: Cursor, options: TupleOptions = {}): Expression {
  const { isTarget = false, hasNamespaces = false, hasConditionals = true } = options
  const { line } = cursor.current()
  const parseItem = (): Expression => {
    if (isTarget) return parsePrimary(cursor, hasNamespaces)
    return hasConditionals ? parseExpression(cursor) : cursor.nested(4, () => parseOr(cursor))
  }
  const items: Expression[] = []
  let isTuple = false
  for (;;) {
    if (items.length > 0) cursor.expect('comma')
    if (isTupleEnd(cursor, options.end)) break
    items.push(parseItem())
    if (!cursor.is('comma')) break
    isTuple = true
  }
  if (!isTuple && items.length > 0) return items[0]!
  if (!isTuple && options.isEnclosed !== true)
    failSyntax(
      `expected an expression, got '${cursor.current().value || cursor.current().type}'`,
      cursor.current().line,
    )
  return { type: 'tuple', items, line, height: heightOf(line, items) }
}
