import { reshape, splat } from '../lower/lowering.js'
import type { Node, Value } from '../graph.js'
import { type Rule, madeBy, scaled } from './rule.js'

const flag = (node: Node, name: string): boolean => {
  const given = node.attributes[name]
  return given !== undefined && 'int' in given && given.int === 1
}

/** `A·B + c` with a row vector `c`, as one Gemm operation. */
const gemm: Rule = ({ b, node, inputs, sole }) => {
  if (node.op !== 'Add') return undefined
  const at = inputs.findIndex(
    (value, i) => sole[i] && value.shape.length === 2 && ['MatMul', 'FusedMatMul'].includes(value.node?.op ?? ''),
  )
  const [product, row] = [inputs[at], inputs[1 - at]]
  if (product === undefined || row === undefined) return undefined
  if (row.shape.length !== 1 || row.shape[0] !== product.shape[1] || product.dtype !== 'float32') return undefined
  const { node: made } = product
  const attributes = {
    transA: { int: flag(made!, 'transA') ? 1 : 0 },
    transB: { int: flag(made!, 'transB') ? 1 : 0 },
  }
  return [b.node('Gemm', [...made!.inputs, row], product, { attributes })]
}

/** True if the node is the mean over the last dimension with `keepdims`. */
const isRowMean = (node: Node | undefined, of: Value | undefined): boolean => {
  if (node?.op !== 'ReduceMean' || of === undefined || node.inputs[0] !== of) return false
  const axes = node.inputs[1]?.constant
  return flag(node, 'keepdims') && axes?.length === 1 && Number(axes[0]) === of.shape.length - 1
}

/** Matches `X − mean(X)` over the last dimension and returns `X`. */
function centred(value: Value | undefined): Value | undefined {
  const [x, mean] = madeBy(value, 'Sub')?.inputs ?? []
  return isRowMean(mean?.node, x) ? x : undefined
}

/** `1/√(mean((X − mean X)²) + ε)`, as the third output of LayerNormalization. */
const inverseDeviation: Rule = ({ b, node, inputs: [root] }) => {
  if (node.op !== 'Reciprocal') return undefined
  const [variance, shift] = madeBy(madeBy(root, 'Sqrt')?.inputs[0], 'Add')?.inputs ?? []
  const epsilon = shift === undefined ? undefined : splat(shift)
  const [left, right] = madeBy(variance?.node?.inputs[0], 'Mul')?.inputs ?? []
  const x = centred(left)
  if (epsilon === undefined || x === undefined || left !== right) return undefined
  if (!isRowMean(variance?.node, variance?.node?.inputs[0])) return undefined
  const width = x.shape.at(-1)!
  const row = [...x.shape.slice(0, -1), 1]
  const ones = b.array('float32', new Float32Array(width).fill(1), [width])
  const types = [x, { dtype: 'float32', shape: row } as const, { dtype: 'float32', shape: row } as const]
  const attributes = { axis: { int: -1 }, epsilon: { float: epsilon } }
  return [
    b.nodes('LayerNormalization', [x, width > 64 ? ones : b.constant('float32', Array(width).fill(1))], types, {
      attributes,
    })[2]!,
  ]
}

/** `(X − mean X)·(1/deviation)`, as the first output of the LayerNormalization that computes the deviation. */
const normalised: Rule = ({ node, inputs }) => {
  if (node.op !== 'Mul') return undefined
  const at = inputs.findIndex((value) => madeBy(value, 'LayerNormalization')?.outputs[2] === value)
  const made = inputs[at]?.node
  if (made === undefined || centred(inputs[1 - at]) !== made.inputs[0]) return undefined
  return [made.outputs[0]!]
}

/** `½·(1 + erf)` as HardSigmoid of `erf`, which stays within its linear range, in one pass. */
const normalDistribution: Rule = ({ b, node, inputs }) => {
  if (node.op !== 'Mul') return undefined
  const at = inputs.findIndex((value) => splat(value) === 0.5)
  const terms = madeBy(inputs[1 - at], 'Add')?.inputs ?? []
  const one = terms.findIndex((value) => splat(value!) === 1)
  const erf = terms[1 - one]
  if (at < 0 || one < 0 || erf === undefined || madeBy(erf, 'Erf') === undefined) return undefined
  return [b.node('HardSigmoid', [erf], erf, { attributes: { alpha: { float: 0.5 }, beta: { float: 0.5 } } })]
}

/**
 * `X·Φ(X)` as Gelu, if nothing else reads `Φ(X)`. In training the gradient reads it, and the separate operations are
 * cheaper than computing both.
 */
const gaussianUnit: Rule = ({ b, node, inputs, sole }) => {
  if (node.op !== 'Mul') return undefined
  const at = inputs.findIndex((value, i) => sole[i] && madeBy(value, 'HardSigmoid') !== undefined)
  const x = inputs[1 - at]
  const argument = madeBy(inputs[at]?.node?.inputs[0], 'Erf')?.inputs[0]
  const factors = argument === undefined ? undefined : scaled(argument)
  if (x === undefined || factors === undefined || factors.x !== x) return undefined
  return splat(factors.by) === Math.fround(Math.SQRT1_2) ? [b.node('Gelu', [x], x)] : undefined
}

/** Matches `1 + x` and returns `x`. */
function addendOfOne(value: Value | undefined): Value | undefined {
  const terms = madeBy(value, 'Add')?.inputs ?? []
  const one = terms.findIndex((term) => splat(term!) === 1)
  return one < 0 ? undefined : terms[1 - one]
}

/** Matches `X·(1 + 0.044715·X²)` and returns `X`. */
function cubed(value: Value): Value | undefined {
  const factors = madeBy(value, 'Mul')?.inputs ?? []
  for (const [i, x] of factors.entries()) {
    const term = addendOfOne(factors[1 - i])
    const inner = term === undefined ? undefined : scaled(term)
    const square = madeBy(inner?.x, 'Mul')?.inputs
    if (inner !== undefined && splat(inner.by) === Math.fround(0.044715) && square?.every((each) => each === x))
      return x
  }
  return undefined
}

/**
 * `½X·(1 + tanh(√(2/π)·X·(1 + 0.044715·X²)))` as Gelu, if nothing else reads the tanh, as its gradient does in
 * training.
 */
const tanhUnit: Rule = ({ b, node, inputs, sole }) => {
  if (node.op !== 'Mul') return undefined
  const at = inputs.findIndex((value, i) => sole[i] && madeBy(addendOfOne(value), 'Tanh') !== undefined)
  const [half, argument] = [inputs[1 - at], madeBy(addendOfOne(inputs[at]), 'Tanh')?.inputs[0]]
  if (half === undefined || argument === undefined) return undefined
  const [front, inside] = [scaled(half), scaled(argument)]
  if (front === undefined || inside === undefined || splat(front.by) !== 0.5) return undefined
  if (splat(inside.by) !== Math.fround(Math.sqrt(2 / Math.PI)) || cubed(inside.x) !== front.x) return undefined
  return [b.node('Gelu', [front.x], front.x, { attributes: { approximate: { text: 'tanh' } } })]
}

/** Merges reshapes of reshapes that appear during rewriting. */
const reshapeOnce: Rule = ({ b, node, inputs: [x] }) =>
  node.op === 'Reshape' ? [reshape(b, x!, node.outputs[0]!.shape)] : undefined

/** Rules that replace several operations with one of ONNX Runtime. */
export const fusionRules: readonly Rule[] = [
  gemm,
  inverseDeviation,
  normalised,
  normalDistribution,
  gaussianUnit,
  tanhUnit,
  reshapeOnce,
]
