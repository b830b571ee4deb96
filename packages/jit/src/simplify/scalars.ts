import { add, div, mul, scalar, unary } from '../lower/lowering.js'
import { type Value, sameShape } from '../graph.js'
import { type Rule, type Site, isLarge, isScalar, madeBy, scaled } from './rule.js'

/**
 * `a·(b·X)` to `(a·b)·X`, and `(b·X)·(b·X)` to `(b·b)·(X·X)`: combines scalar factors, which leaves one pass over the
 * tensor.
 */
const gatherFactors: Rule = ({ b, node, inputs }) => {
  if (node.op !== 'Mul') return undefined
  const [left, right] = inputs as [Value, Value]
  const [p, q] = [scaled(left), scaled(right)]
  if (isScalar(left) && q !== undefined) return [mul(b, mul(b, left, q.by), q.x)]
  if (isScalar(right) && p !== undefined) return [mul(b, mul(b, right, p.by), p.x)]
  if (p !== undefined && q !== undefined && left === right) return [mul(b, mul(b, p.by, p.by), mul(b, p.x, p.x))]
  return undefined
}

/** `X / s` to `(1/s)·X`. */
const multiplyByInverse: Rule = ({ b, node, inputs }) => {
  const [left, right] = inputs as [Value, Value]
  if (node.op !== 'Div' || !isLarge(left) || !isScalar(right) || left.dtype !== 'float32') return undefined
  const inverse = unary(b, 'Reciprocal', right)
  const inner = scaled(left)
  return [inner === undefined ? mul(b, inverse, left) : mul(b, mul(b, inverse, inner.by), inner.x)]
}

/** `(a·X) / (r·Y + e)` to `(a/r)·(X / (Y + e/r))`: the last lines of Adam with two passes fewer. */
const divideLater: Rule = ({ b, node, inputs }) => {
  const [left, right] = inputs as [Value, Value]
  if (node.op !== 'Div' || !isLarge(right) || left.dtype !== 'float32') return undefined
  const [first, second] = madeBy(right, 'Add')?.inputs ?? []
  const root = first === undefined ? undefined : scaled(first)
  if (root === undefined || second === undefined || !isScalar(second)) return undefined
  const over = scaled(left) ?? { by: scalar(b, 'float32', 1), x: left }
  return [mul(b, div(b, over.by, root.by), div(b, over.x, add(b, root.x, div(b, second, root.by))))]
}

/** `s·(a·X + b·Y)` to `(s·a)·X + (s·b)·Y`, if nothing else reads the sum. */
const distribute: Rule = ({ b, node, inputs, sole }) => {
  if (node.op !== 'Mul') return undefined
  const at = inputs.findIndex((value, i) => madeBy(value, 'Add') !== undefined && sole[i])
  const [sum, factor] = [inputs[at], inputs[1 - at]]
  if (sum === undefined || factor === undefined || !isScalar(factor)) return undefined
  const [p, q] = sum.node!.inputs.map((value) => scaled(value!))
  if (p === undefined || q === undefined || !sameShape(p.x.shape, q.x.shape)) return undefined
  return [add(b, mul(b, mul(b, factor, p.by), p.x), mul(b, mul(b, factor, q.by), q.x))]
}

/** `P + (A + y·P)` to `A + (1 + y)·P`: an update with weight decay. */
const collect: Rule = ({ b, node, inputs, sole }: Site) => {
  if (node.op !== 'Add') return undefined
  const at = inputs.findIndex((value, i) => madeBy(value, 'Add') !== undefined && sole[i])
  const [sum, p] = [inputs[at], inputs[1 - at]]
  if (sum === undefined || p === undefined) return undefined
  const terms = sum.node!.inputs as readonly Value[]
  const own = terms.findIndex((term) => scaled(term)?.x === p)
  if (own < 0) return undefined
  const { by } = scaled(terms[own]!)!
  return [add(b, terms[1 - own]!, mul(b, add(b, scalar(b, 'float32', 1), by), p))]
}

/** Sum of `a·X` to `a` times the sum of `X`. */
const sumFirst: Rule = ({ b, node, inputs: [x, axes] }) => {
  const inner = node.op === 'ReduceSum' ? scaled(x!) : undefined
  if (inner === undefined) return undefined
  return [mul(b, inner.by, b.node('ReduceSum', [inner.x, axes], node.outputs[0]!, node))]
}

/** Rules that save passes over tensors by combining scalars first. */
export const scalarRules: readonly Rule[] = [
  gatherFactors,
  multiplyByInverse,
  divideLater,
  distribute,
  collect,
  sumFirst,
]
