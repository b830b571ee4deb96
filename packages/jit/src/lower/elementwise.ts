import type { Builder } from '../builder.js'
import type { Value } from '../graph.js'
import { deepestFirst } from './deepest-first.js'
import {
  type Call,
  type Lowerings,
  add,
  binary,
  broadcast,
  cast,
  div,
  full,
  mul,
  scalar,
  sub,
  unary,
} from './lowering.js'

const one = (b: Builder, n: number): Value => scalar(b, 'float32', n)

/** TF.js computes these of whole numbers too, after turning them into real ones. */
const real = (b: Builder, x: Value): Value => (x.dtype === 'float32' ? x : cast(b, x, 'float32'))

/** TF.js' name of a function of one number, and ONNX'. */
const SAME: Readonly<Record<string, string>> = {
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
  Ceil: 'Ceil',
  Floor: 'Floor',
  Round: 'Round',
}

/** The same, of whole numbers as they are. */
const SAME_WHOLE: Readonly<Record<string, string>> = { Abs: 'Abs', Neg: 'Neg', Sign: 'Sign' }

const COMPARISONS: Readonly<Record<string, string>> = {
  Equal: 'Equal',
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
}

const where = (b: Builder, condition: Value, yes: Value, no: Value): Value => {
  const shape = broadcast(broadcast(condition.shape, yes.shape), no.shape)
  return b.node('Where', [condition, yes, no], { dtype: yes.dtype, shape })
}

const compare = (b: Builder, op: string, x: Value, y: Value): Value => {
  // ONNX Runtime orders no booleans.
  const [left, right] = x.dtype === 'bool' && op !== 'Equal' ? [cast(b, x, 'int32'), cast(b, y, 'int32')] : [x, y]
  return binary(b, op, left, right, 'bool')
}

const not = (b: Builder, x: Value): Value => unary(b, 'Not', x)

const clip = (b: Builder, x: Value, low: number, high: number): Value =>
  b.node('Clip', [x, scalar(b, x.dtype, low), scalar(b, x.dtype, high)], x)

/** The remainder with the sign of the divisor. */
function floorMod(b: Builder, x: Value, y: Value): Value {
  const attributes = { fmod: { int: 1 } }
  const mod = (a: Value, c: Value): Value =>
    b.node('Mod', [a, c], { dtype: a.dtype, shape: broadcast(a.shape, c.shape) }, { attributes })
  const rest = mod(x, y)
  const zero = scalar(b, x.dtype, 0)
  const sameSign = binary(b, 'Equal', compare(b, 'Less', x, zero), compare(b, 'Less', y, zero), 'bool')
  return where(b, sameSign, rest, mod(add(b, rest, y), y))
}

function floorDiv(b: Builder, x: Value, y: Value): Value {
  if (x.dtype === 'float32') return cast(b, unary(b, 'Floor', div(b, x, y)), 'int32')
  // ONNX divides whole numbers towards zero.
  const quotient = binary(b, 'Div', x, y)
  const rest = sub(b, x, mul(b, quotient, y))
  const zero = scalar(b, x.dtype, 0)
  const differ = binary(b, 'Xor', compare(b, 'Less', rest, zero), compare(b, 'Less', y, zero), 'bool')
  const inexact = not(b, compare(b, 'Equal', rest, zero))
  const down = binary(b, 'And', inexact, differ, 'bool')
  return sub(b, quotient, cast(b, down, 'int32'))
}

/** The angle of the point (x, y), in (−π, π]. */
function atan2(b: Builder, y: Value, x: Value): Value {
  const zero = one(b, 0)
  const raw = unary(b, 'Atan', div(b, y, x))
  const turn = where(b, compare(b, 'Less', y, zero), one(b, -Math.PI), one(b, Math.PI))
  const left = compare(b, 'Less', x, zero)
  const turned = where(b, left, add(b, raw, turn), raw)
  const origin = binary(b, 'And', compare(b, 'Equal', x, zero), compare(b, 'Equal', y, zero), 'bool')
  return where(b, origin, zero, turned)
}

const binaryOf =
  (op: string) =>
  (call: Call): Value =>
    binary(call.b, op, call.in('a'), call.in('b'))

const infinity = (b: Builder, x: Value): Value => b.node('IsInf', [x], { dtype: 'bool', shape: x.shape })
const notANumber = (b: Builder, x: Value): Value => b.node('IsNaN', [x], { dtype: 'bool', shape: x.shape })

/** Operations that work on each number by itself. */
export const elementwise: Lowerings = {
  ...Object.fromEntries(
    Object.entries(SAME).map(([k, op]) => [k, ({ b, in: x }: Call) => unary(b, op, real(b, x('x')))]),
  ),
  ...Object.fromEntries(Object.entries(SAME_WHOLE).map(([k, op]) => [k, ({ b, in: x }: Call) => unary(b, op, x('x'))])),
  ...Object.fromEntries(
    Object.entries(COMPARISONS).map(([k, op]) => [k, ({ b, in: x }: Call) => compare(b, op, x('a'), x('b'))]),
  ),
  Add: binaryOf('Add'),
  Sub: binaryOf('Sub'),
  Multiply: binaryOf('Mul'),
  RealDiv: binaryOf('Div'),
  Maximum: binaryOf('Max'),
  Minimum: binaryOf('Min'),
  Pow: binaryOf('Pow'),
  Mod: ({ b, in: x }) => floorMod(b, x('a'), x('b')),
  FloorDiv: ({ b, in: x }) => floorDiv(b, x('a'), x('b')),
  Atan2: ({ b, in: x }) => atan2(b, x('a'), x('b')),
  SquaredDifference: ({ b, in: x }) => {
    const difference = sub(b, x('a'), x('b'))
    return mul(b, difference, difference)
  },
  AddN: ({ b, all }) => deepestFirst(all).reduce((sum, x) => add(b, sum, x)),
  NotEqual: ({ b, in: x }) => not(b, compare(b, 'Equal', x('a'), x('b'))),
  LogicalAnd: ({ b, in: x }) => binary(b, 'And', x('a'), x('b'), 'bool'),
  LogicalOr: ({ b, in: x }) => binary(b, 'Or', x('a'), x('b'), 'bool'),
  LogicalNot: ({ b, in: x }) => not(b, x('x')),
  Select: ({ b, in: x }) => where(b, x('condition'), x('t'), x('e')),
  Square: ({ b, in: x }) => mul(b, x('x'), x('x')),
  Rsqrt: ({ b, in: x }) => unary(b, 'Reciprocal', unary(b, 'Sqrt', real(b, x('x')))),
  Expm1: ({ b, in: x }) => sub(b, unary(b, 'Exp', real(b, x('x'))), one(b, 1)),
  Log1p: ({ b, in: x }) => unary(b, 'Log', add(b, real(b, x('x')), one(b, 1))),
  Relu: ({ b, in: x }) =>
    x('x').dtype === 'float32' ? unary(b, 'Relu', x('x')) : binary(b, 'Max', x('x'), scalar(b, 'int32', 0)),
  Relu6: ({ b, in: x }) => clip(b, x('x'), 0, 6),
  ClipByValue: ({ b, in: x, attr }) => clip(b, x('x'), attr('clipValueMin'), attr('clipValueMax')),
  LeakyRelu: ({ b, in: x, attr }) => unary(b, 'LeakyRelu', x('x'), { attributes: { alpha: { float: attr('alpha') } } }),
  Prelu: ({ b, in: x }) => where(b, compare(b, 'Less', x('x'), one(b, 0)), mul(b, x('x'), x('alpha')), x('x')),
  Step: ({ b, in: x, attr }) => {
    const positive = compare(b, 'Greater', real(b, x('x')), one(b, 0))
    return where(b, positive, one(b, 1), one(b, attr('alpha')))
  },
  EluGrad: ({ b, in: x }) => {
    const slope = where(b, compare(b, 'GreaterOrEqual', x('y'), one(b, 0)), one(b, 1), add(b, x('y'), one(b, 1)))
    return mul(b, x('dy'), slope)
  },
  IsNan: ({ b, in: x }) => notANumber(b, x('x')),
  IsInf: ({ b, in: x }) => infinity(b, x('x')),
  IsFinite: ({ b, in: x }) => not(b, binary(b, 'Or', infinity(b, x('x')), notANumber(b, x('x')), 'bool')),
  Cast: ({ b, in: x, attr }) => cast(b, x('x'), attr('dtype')),
  Identity: ({ in: x }) => x('x'),
  OnesLike: ({ b, in: x }) => full(b, x('x').dtype, x('x').shape, 1),
  ZerosLike: ({ b, in: x }) => full(b, x('x').dtype, x('x').shape, 0),
}
