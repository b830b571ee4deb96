import { fail } from '../failure.js'
import { type Runtime, chargeEntries, chargeText, concat } from '../runtime.js'
import { escapeHtml } from '../text/html.js'
import { percentFormat } from '../text/percent-format.js'
import { repeat } from '../text/points.js'
import {
  type Int,
  addInts,
  floorDivideInts,
  moduloInts,
  multiplyInts,
  powerInts,
  ratio,
  subtractInts,
  toFloat,
} from './integers.js'
import { textOf } from './text-of.js'
import {
  type List,
  type Tuple,
  type Value,
  float,
  floatOf,
  intOf,
  kindOf,
  markup,
  stringOf,
  typeName,
} from './value.js'

/** A binary arithmetic operator. */
export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**'

const floorDivide = (left: number, right: number): number => {
  const rest = left % right
  let quotient = (left - rest) / right
  if (rest !== 0 && rest < 0 !== right < 0) quotient -= 1
  if (quotient === 0) return left / right < 0 || Object.is(left / right, -0) ? -0 : 0
  const floor = Math.floor(quotient)
  return quotient - floor > 0.5 ? floor + 1 : floor
}

const modulo = (left: number, right: number): number => {
  const rest = left % right
  if (rest === 0) return right < 0 ? -0 : 0
  return rest < 0 !== right < 0 ? rest + right : rest
}

function power(left: number, right: number): number {
  if (right === 0 || left === 1) return 1
  if (left === 0 && right < 0) fail('ZeroDivisionError', '0.0 cannot be raised to a negative power')
  if (left === -1 && !Number.isFinite(right) && !Number.isNaN(right)) return 1
  if (left < 0 && Number.isFinite(left) && Number.isFinite(right) && !Number.isInteger(right))
    fail('NotSupported', 'a fractional power of a negative number is complex, which is not supported')
  const result = left ** right
  if (!Number.isFinite(result) && Number.isFinite(left) && Number.isFinite(right))
    fail('OverflowError', 'numerical result out of range')
  return result
}

function floatResult(operator: BinaryOperator, left: number, right: number): number {
  if (right === 0 && (operator === '/' || operator === '//' || operator === '%'))
    fail('ZeroDivisionError', 'float division by zero')
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    case '//':
      return floorDivide(left, right)
    case '%':
      return modulo(left, right)
    case '**':
      return power(left, right)
  }
}

function intResult(rt: Runtime, operator: BinaryOperator, left: Int, right: Int): Value {
  switch (operator) {
    case '+':
      return addInts(rt, left, right)
    case '-':
      return subtractInts(rt, left, right)
    case '*':
      return multiplyInts(rt, left, right)
    case '/':
      return right === 0 ? fail('ZeroDivisionError', 'division by zero') : float(ratio(rt, left, right))
    case '//':
      return floorDivideInts(rt, left, right)
    case '%':
      return moduloInts(rt, left, right)
    case '**':
      return right < 0 ? float(power(toFloat(left), toFloat(right))) : powerInts(rt, left, right)
  }
}

/** Largest int that Python accepts as an index or a count. */
const MAXIMUM_INDEX = 2n ** 63n - 1n

/** Repeats a text, list or tuple; undefined for other operands. */
function repeated(rt: Runtime, sequence: Value, times: Value): Value | undefined {
  const count = intOf(times)
  if (count === undefined) return undefined
  const text = stringOf(sequence)
  const kind = kindOf(sequence)
  if (text === undefined && kind !== 'list' && kind !== 'tuple') return undefined
  if (typeof count === 'bigint' && count > MAXIMUM_INDEX)
    fail('OverflowError', "cannot fit 'int' into an index-sized integer")
  const factor = Number(count)
  if (text !== undefined) {
    const made = repeat(rt, text, factor)
    return typeof sequence === 'string' ? made : markup(made)
  }
  const { items } = sequence as List | Tuple
  const length = Math.max(0, items.length * factor)
  chargeEntries(rt, length)
  return { kind: kind as 'list', items: Array.from({ length }, (_, at) => items[at % items.length]!) }
}

/** Concatenates texts, lists or tuples; undefined for other operands. */
function concatenated(rt: Runtime, left: Value, right: Value): Value | undefined {
  const [before, after] = [stringOf(left), stringOf(right)]
  if (before !== undefined && after !== undefined) {
    if (typeof left === 'string' && typeof right === 'string') return concat(rt, left, right)
    const escaped = (value: Value, text: string): string => (typeof value === 'string' ? escapeHtml(rt, text) : text)
    return markup(concat(rt, escaped(left, before), escaped(right, after)))
  }
  const kind = kindOf(left)
  if ((kind !== 'list' && kind !== 'tuple') || kindOf(right) !== kind) return undefined
  const [first, second] = [(left as List).items, (right as List).items]
  chargeEntries(rt, first.length + second.length)
  return { kind, items: [...first, ...second] }
}

const mismatch = (operator: BinaryOperator, left: Value, right: Value): never => {
  const shown = operator === '**' ? '** or pow()' : operator
  if (operator === '+' && stringOf(left) !== undefined)
    fail('TypeError', `can only concatenate str (not "${typeName(right)}") to str; use ~ instead of +`)
  return fail('TypeError', `unsupported operand type(s) for ${shown}: '${typeName(left)}' and '${typeName(right)}'`)
}

/**
 * Applies a binary operator with Python's semantics.
 * @throws Python's TypeError, ZeroDivisionError or OverflowError
 */
export function binary(rt: Runtime, operator: BinaryOperator, left: Value, right: Value): Value {
  const [a, b] = [intOf(left), intOf(right)]
  if (a !== undefined && b !== undefined) return intResult(rt, operator, a, b)
  if (operator === '%' && stringOf(left) !== undefined) return percentFormat(rt, left, right)
  if (kindOf(left) === 'undefined') (left as { raise: (rt: Runtime) => never }).raise(rt)
  if (kindOf(right) === 'undefined') (right as { raise: (rt: Runtime) => never }).raise(rt)
  const made =
    operator === '+'
      ? concatenated(rt, left, right)
      : operator === '*'
        ? (repeated(rt, left, right) ?? repeated(rt, right, left))
        : undefined
  if (made !== undefined) return made
  const [x, y] = [floatOf(left), floatOf(right)]
  return x === undefined || y === undefined ? mismatch(operator, left, right) : float(floatResult(operator, x, y))
}

/** Python's unary `-` and `+`. */
export function unary(rt: Runtime, operator: '-' | '+', operand: Value): Value {
  const int = intOf(operand)
  if (int !== undefined) return operator === '-' ? subtractInts(rt, 0, int) : int
  if (kindOf(operand) === 'undefined') (operand as { raise: (rt: Runtime) => never }).raise(rt)
  const number = floatOf(operand)
  if (number === undefined) return fail('TypeError', `bad operand type for unary ${operator}: '${typeName(operand)}'`)
  return float(operator === '-' ? -number : number)
}

/** Jinja2's `~`: concatenates the texts of values. */
export function join(rt: Runtime, values: readonly Value[]): string {
  let text = ''
  for (const value of values) text = concat(rt, text, textOf(rt, value))
  return text
}

/** Jinja2's `~` with HTML escaping. */
export function joinMarkup(rt: Runtime, values: readonly Value[]): Value {
  if (!values.some((value) => kindOf(value) === 'markup')) return join(rt, values)
  const texts = values.map((value) =>
    kindOf(value) === 'markup' ? stringOf(value)! : escapeHtml(rt, textOf(rt, value)),
  )
  chargeText(
    rt,
    texts.reduce((sum, text) => sum + text.length, 0),
  )
  return markup(texts.join(''))
}
