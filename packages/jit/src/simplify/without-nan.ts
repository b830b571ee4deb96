import { div, sub } from '../lower/lowering.js'
import type { Value } from '../graph.js'
import { type Rule, madeBy } from './rule.js'

/** The maximum of `x` along axes without its check for NaN, and these axes. */
interface Unchecked {
  readonly x: Value
  readonly maximum: Value
  readonly axes: Value | undefined
}

/** Matches `x − max(x)`, where the maximum is NaN if a value of `x` is. */
function shifted(value: Value | undefined): Unchecked | undefined {
  const [x, top] = madeBy(value, 'Sub')?.inputs ?? []
  const [, total, maximum] = madeBy(top, 'Where')?.inputs ?? []
  const [of, axes] = madeBy(maximum, 'ReduceMax')?.inputs ?? []
  const clamped = madeBy(madeBy(total, 'ReduceSum')?.inputs[0], 'HardSigmoid')?.inputs[0]
  return x !== undefined && maximum !== undefined && of === x && clamped === x ? { x, maximum, axes } : undefined
}

/** Matches `Σ exp(x − max(x))` with the unchecked maximum, and returns `x`. */
function summed(value: Value | undefined): Value | undefined {
  const [x, maximum] = madeBy(madeBy(madeBy(value, 'ReduceSum')?.inputs[0], 'Exp')?.inputs[0], 'Sub')?.inputs ?? []
  return madeBy(maximum, 'ReduceMax')?.inputs[0] === x ? x : undefined
}

/** `Σ exp(x − max(x))` without the check of the maximum: the sum is NaN anyway if a value is. */
const sumOfExponentials: Rule = ({ b, node, inputs: [terms, axes] }) => {
  const found = node.op === 'ReduceSum' ? shifted(madeBy(terms, 'Exp')?.inputs[0]) : undefined
  if (found === undefined || found.axes !== axes) return undefined
  const exponential = b.node('Exp', [sub(b, found.x, found.maximum)], terms!)
  return [b.node('ReduceSum', [exponential, axes], node.outputs[0]!, node)]
}

/** `x − max(x) − log(Σ exp(x − max(x)))`, the logarithm of softmax, likewise. */
const logarithmOfSoftmax: Rule = ({ b, node, inputs: [left, right] }) => {
  const found = node.op === 'Sub' ? shifted(left) : undefined
  if (found === undefined || summed(madeBy(right, 'Log')?.inputs[0]) !== found.x) return undefined
  return [sub(b, sub(b, found.x, found.maximum), right!)]
}

/** `exp(x − max(x)) / Σ exp(x − max(x))`, softmax, likewise. */
const softmax: Rule = ({ b, node, inputs: [left, right] }) => {
  const found = node.op === 'Div' ? shifted(madeBy(left, 'Exp')?.inputs[0]) : undefined
  if (found === undefined || summed(right) !== found.x) return undefined
  return [div(b, b.node('Exp', [sub(b, found.x, found.maximum)], left!), right!)]
}

/** Rules that drop the check of maximums for NaN where the result is NaN without it. */
export const nanRules: readonly Rule[] = [sumOfExponentials, logarithmOfSoftmax, softmax]
