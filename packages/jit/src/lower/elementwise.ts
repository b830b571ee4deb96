import type { Builder } from '../builder.js'
import type { Value } from '../graph.js'
import { activation } from './activation.js'
import { deepestFirst } from './deepest-first.js'
import {
  type Call,
  type Lowerings,
  add,
  binary,
  broadcast,
  cast,
  clip,
  compare,
  div,
  full,
  mul,
  scalar,
  splat,
  sub,
  unary,
  where,
} from './lowering.js'

const one = (b: Builder, n: number): Value => scalar(b, 'float32', n)

/** Casts to float32: TF.js applies these functions to integers as floats. */
const toFloat = (b: Builder, x: Value): Value => (x.dtype === 'float32' ? x : cast(b, x, 'float32'))

/** Unary functions: TF.js name to ONNX name. */
const UNARY: Readonly<Record<string, string>> = {
  Acos: 'Acos',
  Acosh: 'Acosh',
  Asin: 'Asin',
  Asinh: 'Asinh',
  Atan: 'Atan',
  Atanh: 'Atanh',
  Cos: 'Cos',
  Cosh: 'Cosh',
  Elu: 'Elu',
  Erf: 'Erf',
  Exp: 'Exp',
  Log: 'Log',
  Reciprocal: 'Reciprocal',
  Selu: 'Selu',
  Sigmoid: 'Sigmoid',
  Sin: 'Sin',
  Sinh: 'Sinh',
  Softplus: 'Softplus',
  Sqrt: 'Sqrt',
  Tan: 'Tan',
  Tanh: 'Tanh',
}

/** Unary functions that keep integers. */
const UNARY_INTEGER: Readonly<Record<string, string>> = { Abs: 'Abs', Neg: 'Neg' }

/** Rounding functions, which return integers unchanged. */
const ROUNDING = ['Ceil', 'Floor', 'Round'] as const

const COMPARISONS: Readonly<Record<string, string>> = {
  Equal: 'Equal',
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
}

const zero = (b: Builder, x: Value): Value => scalar(b, x.dtype, 0)

/** Applies a numeric ONNX operation to booleans as 0 and 1; nonzero results are true. */
function numeric(b: Builder, values: readonly Value[], f: (...numbers: Value[]) => Value): Value {
  if (values.some(({ dtype }) => dtype !== 'bool')) return f(...values)
  return cast(b, f(...values.map((x) => cast(b, x, 'int32'))), 'bool')
}

/** Wider of two types, in the order bool, int32, float32. */
const wider = (x: Value, y: Value): Value['dtype'] => (x.dtype === 'bool' || y.dtype === 'float32' ? y.dtype : x.dtype)

/** Sign of each value: −1, 0 or 1; 0 for NaN. */
function sign(b: Builder, x: Value): Value {
  if (x.dtype !== 'float32') return unary(b, 'Sign', x)
  const is = (op: string): Value => cast(b, compare(b, op, x, zero(b, x)), 'float32')
  return sub(b, is('Greater'), is('Less'))
}

/** Slope of {@link positive} at 0: multiplied by any normal float32 it exceeds 1. */
const STEEP = 3e38

/** 1 for positive values, 0 for others, and NaN for NaN, in one pass: two operations would take ten times as long. */
const positive = (b: Builder, x: Value): Value =>
  unary(b, 'HardSigmoid', x, { attributes: { alpha: { float: STEEP }, beta: { float: 0 } } })

/** 1 for positive values and `alpha` for others; NaN for NaN. */
function step(b: Builder, x: Value, alpha: number): Value {
  const isPositive = compare(b, 'Greater', toFloat(b, x), one(b, 0))
  const chosen = (): Value => where(b, isPositive, one(b, 1), one(b, alpha))
  if (x.dtype !== 'float32') return cast(b, chosen(), x.dtype)
  if (alpha === 0) return positive(b, x)
  if (alpha === -1) return sub(b, mul(b, positive(b, x), one(b, 2)), one(b, 1))
  return add(b, chosen(), mul(b, positive(b, x), one(b, 0)))
}

/** Elementwise selection by a condition, in the wider of the two types. */
function select(b: Builder, condition: Value, yes: Value, no: Value): Value {
  const dtype = wider(yes, no)
  const choose = (...[t, e]: Value[]): Value => where(b, condition, t!, e!)
  return numeric(b, [cast(b, yes, dtype), cast(b, no, dtype)], choose)
}

const not = (b: Builder, x: Value): Value => unary(b, 'Not', x)

/** True if a divisor is a known constant other than these numbers. */
const isNever = (y: Value, numbers: readonly number[]): boolean => {
  const known = splat(y)
  return known !== undefined && !numbers.includes(known)
}

/** Remainder with the sign of the divisor; 0 for integers modulo 0. */
function floorMod(b: Builder, x: Value, divisor: Value): Value {
  const attributes = { fmod: { int: 1 } }
  const mod = (a: Value, c: Value): Value =>
    b.node('Mod', [a, c], { dtype: a.dtype, shape: broadcast(a.shape, c.shape) }, { attributes })
  const safe = x.dtype === 'float32' || isNever(divisor, [0])
  const unit = scalar(b, x.dtype, 1)
  const y = safe ? divisor : where(b, compare(b, 'Equal', divisor, zero(b, divisor)), unit, divisor)
  const rest = mod(x, y)
  const sameSign = binary(b, 'Equal', compare(b, 'Less', x, zero(b, x)), compare(b, 'Less', y, zero(b, y)), 'bool')
  return where(b, sameSign, rest, mod(add(b, rest, y), y))
}

/** Floor division of floats, as int32; 0 for a zero divisor, as in JavaScript. */
function floorOfQuotient(b: Builder, x: Value, y: Value): Value {
  const quotient = unary(b, 'Floor', div(b, x, y))
  if (isNever(y, [0])) return cast(b, quotient, 'int32')
  return cast(b, where(b, compare(b, 'Equal', y, zero(b, y)), one(b, 0), quotient), 'int32')
}

/** Floor division of integers; 0 for a zero divisor. */
function floorDiv(b: Builder, x: Value, y: Value): Value {
  if (x.dtype === 'float32') return floorOfQuotient(b, x, y)
  const none = zero(b, x)
  // The CPU traps on division by 0, and of the int32 minimum by −1.
  const safe = isNever(y, [0, -1])
  const unfit = binary(b, 'Or', compare(b, 'Equal', y, none), compare(b, 'Equal', y, scalar(b, 'int32', -1)), 'bool')
  const by = safe ? y : where(b, unfit, scalar(b, 'int32', 1), y)
  // ONNX integer division truncates towards zero.
  const quotient = binary(b, 'Div', x, by)
  const rest = sub(b, x, mul(b, quotient, by))
  const differ = binary(b, 'Xor', compare(b, 'Less', rest, none), compare(b, 'Less', by, none), 'bool')
  const inexact = not(b, compare(b, 'Equal', rest, none))
  const down = binary(b, 'And', inexact, differ, 'bool')
  const found = sub(b, quotient, cast(b, down, 'int32'))
  // For a divisor of 0 or −1, the quotient equals the product.
  return safe ? found : where(b, unfit, mul(b, x, y), found)
}

/** Power; 0 for integers if it is infinite, as in JavaScript. */
function power(b: Builder, x: Value, y: Value): Value {
  const found = binary(b, 'Pow', x, y)
  const known = splat(y)
  if (x.dtype === 'float32' || (known !== undefined && known >= 0)) return found
  const infinite = binary(b, 'And', compare(b, 'Equal', x, zero(b, x)), compare(b, 'Less', y, zero(b, y)), 'bool')
  return where(b, infinite, zero(b, x), found)
}

/** True where values are negative, including −0. */
function isNegative(b: Builder, x: Value): Value {
  const below = (y: Value): Value => compare(b, 'Less', y, one(b, 0))
  return binary(b, 'Or', below(x), below(unary(b, 'Reciprocal', x)), 'bool')
}

/** Angle of the point (x, y), in [−π, π], with the sign of y, also if y is 0, but never −0. */
function atan2(b: Builder, y: Value, x: Value): Value {
  const infinite = binary(b, 'And', infinity(b, x), infinity(b, y), 'bool')
  const slope = where(b, infinite, mul(b, unary(b, 'Sign', y), unary(b, 'Sign', x)), div(b, y, x))
  const origin = binary(b, 'And', compare(b, 'Equal', y, one(b, 0)), compare(b, 'Equal', x, one(b, 0)), 'bool')
  const raw = where(b, origin, y, unary(b, 'Atan', slope))
  const turn = where(b, isNegative(b, y), one(b, -Math.PI), one(b, Math.PI))
  return where(b, isNegative(b, x), add(b, raw, turn), raw)
}

/** `eˣ − 1`. Near 0 computed as `2t / (1 − t)` with `t = tanh(x/2)`, because the difference cancels all digits. */
function expm1(b: Builder, x: Value): Value {
  const t = unary(b, 'Tanh', mul(b, x, one(b, 0.5)))
  const near = div(b, add(b, t, t), sub(b, one(b, 1), t))
  const isNear = compare(b, 'Less', unary(b, 'Abs', x), one(b, 1))
  return where(b, isNear, near, sub(b, unary(b, 'Exp', x), one(b, 1)))
}

/**
 * `log(1 + x)`. Up to 1 computed as `log(u) · x / (u − 1)` with `u = 1 + x`, in which the rounding error of the sum
 * cancels out (Kahan; Goldberg, What every computer scientist should know about floating-point arithmetic, 1991,
 * theorem 4).
 */
function log1p(b: Builder, x: Value): Value {
  const u = add(b, x, one(b, 1))
  const log = unary(b, 'Log', u)
  const corrected = mul(b, log, div(b, x, sub(b, u, one(b, 1))))
  const near = where(b, compare(b, 'Equal', u, one(b, 1)), x, corrected)
  return where(b, compare(b, 'Greater', x, one(b, 1)), log, near)
}

const binaryOf =
  (op: string) =>
  ({ b, in: x }: Call): Value =>
    numeric(b, [x('a'), x('b')], (...[left, right]) => binary(b, op, left!, right!))

const toInteger = (b: Builder, x: Value): Value => (x.dtype === 'bool' ? cast(b, x, 'int32') : x)

const infinity = (b: Builder, x: Value): Value => b.node('IsInf', [x], { dtype: 'bool', shape: x.shape })
const notANumber = (b: Builder, x: Value): Value => b.node('IsNaN', [x], { dtype: 'bool', shape: x.shape })

/** Elementwise operations. */
export const elementwise: Lowerings = {
  ...Object.fromEntries(
    Object.entries(UNARY).map(([k, op]) => [k, ({ b, in: x }: Call) => unary(b, op, toFloat(b, x('x')))]),
  ),
  ...Object.fromEntries(
    Object.entries(UNARY_INTEGER).map(([k, op]) => [
      k,
      ({ b, in: x }: Call) => numeric(b, [x('x')], (...[n]) => unary(b, op, n!)),
    ]),
  ),
  ...Object.fromEntries(
    ROUNDING.map((op) => [op, ({ b, in: x }: Call) => (x('x').dtype === 'float32' ? unary(b, op, x('x')) : x('x'))]),
  ),
  Sign: ({ b, in: x }) => numeric(b, [x('x')], (...[n]) => sign(b, n!)),
  ...Object.fromEntries(
    Object.entries(COMPARISONS).map(([k, op]) => [k, ({ b, in: x }: Call) => compare(b, op, x('a'), x('b'))]),
  ),
  Add: binaryOf('Add'),
  Sub: binaryOf('Sub'),
  Multiply: binaryOf('Mul'),
  RealDiv: ({ b, in: x }) =>
    x('a').dtype === 'bool' ? binary(b, 'And', x('a'), x('b'), 'bool') : div(b, x('a'), x('b')),
  Maximum: binaryOf('Max'),
  Minimum: binaryOf('Min'),
  Pow: ({ b, in: x }) => numeric(b, [x('a'), x('b')], (...[base, exponent]) => power(b, base!, exponent!)),
  Mod: ({ b, in: x }) => numeric(b, [x('a'), x('b')], (...[left, right]) => floorMod(b, left!, right!)),
  FloorDiv: ({ b, in: x }) => floorDiv(b, toInteger(b, x('a')), toInteger(b, x('b'))),
  Atan2: ({ b, in: x }) => atan2(b, toFloat(b, x('a')), toFloat(b, x('b'))),
  SquaredDifference: ({ b, in: x }) =>
    numeric(b, [x('a'), x('b')], (...[left, right]) => {
      const difference = sub(b, left!, right!)
      return mul(b, difference, difference)
    }),
  AddN: ({ b, all }) => numeric(b, all, (...terms) => deepestFirst(terms).reduce((sum, x) => add(b, sum, x))),
  NotEqual: ({ b, in: x }) => not(b, compare(b, 'Equal', x('a'), x('b'))),
  LogicalAnd: ({ b, in: x }) => binary(b, 'And', x('a'), x('b'), 'bool'),
  LogicalOr: ({ b, in: x }) => binary(b, 'Or', x('a'), x('b'), 'bool'),
  LogicalNot: ({ b, in: x }) => not(b, x('x')),
  Select: ({ b, in: x }) => select(b, x('condition'), x('t'), x('e')),
  Square: ({ b, in: x }) => numeric(b, [x('x')], (...[n]) => mul(b, n!, n!)),
  Rsqrt: ({ b, in: x }) => unary(b, 'Reciprocal', unary(b, 'Sqrt', toFloat(b, x('x')))),
  Expm1: ({ b, in: x }) => expm1(b, toFloat(b, x('x'))),
  Log1p: ({ b, in: x }) => log1p(b, toFloat(b, x('x'))),
  Relu: ({ b, in: x }) => numeric(b, [x('x')], (...[n]) => activation(b, 'relu', n!)),
  Relu6: ({ b, in: x }) => numeric(b, [x('x')], (...[n]) => activation(b, 'relu6', n!)),
  ClipByValue: ({ b, in: x, attr }) =>
    numeric(b, [x('x')], (...[n]) => clip(b, n!, attr('clipValueMin'), attr('clipValueMax'))),
  LeakyRelu: ({ b, in: x, attr }) => activation(b, 'leakyrelu', toFloat(b, x('x')), { leak: attr('alpha') }),
  Prelu: ({ b, in: x }) => activation(b, 'prelu', toFloat(b, x('x')), { slopes: toFloat(b, x('alpha')) }),
  Step: ({ b, in: x, attr }) => step(b, x('x'), attr('alpha')),
  EluGrad: ({ b, in: x }) => {
    const slope = where(b, compare(b, 'GreaterOrEqual', x('y'), one(b, 0)), one(b, 1), add(b, x('y'), one(b, 1)))
    return mul(b, x('dy'), slope)
  },
  IsNan: ({ b, in: x }) => notANumber(b, x('x')),
  IsInf: ({ b, in: x }) => infinity(b, x('x')),
  IsFinite: ({ b, in: x }) => not(b, binary(b, 'Or', infinity(b, x('x')), notANumber(b, x('x')), 'bool')),
  Cast: ({ b, in: x, attr }) => cast(b, x('x'), attr('dtype')),
  OnesLike: ({ b, in: x }) => full(b, x('x').dtype, x('x').shape, 1),
  ZerosLike: ({ b, in: x }) => full(b, x('x').dtype, x('x').shape, 0),
}
