import { AttuneError } from '@attune/core'

/** Coefficients of a logistic regression: one row of features and an intercept per class, or one in all for two classes. */
export interface LogisticRegression {
  readonly coefficients: readonly (readonly number[])[]
  readonly intercepts: readonly number[]
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Softmax of logits; of one logit the probabilities of the first and the second class. */
function probabilitiesOf(logits: readonly number[]): number[] {
  const all = logits.length === 1 ? [0, logits[0]!] : logits
  const maximum = Math.max(...all)
  const powers = all.map((logit) => Math.exp(logit - maximum))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}

/** Probabilities of the classes for one row of features. */
export const classProbabilities = (
  { coefficients, intercepts }: LogisticRegression,
  features: readonly number[],
): number[] => probabilitiesOf(coefficients.map((row, k) => dot(row, features) + intercepts[k]!))

/** A function of a vector with its gradient. */
type Objective = (at: Float64Array) => { readonly value: number; readonly gradient: Float64Array }

/** Number of stored steps of L-BFGS. */
const MEMORY = 10

/** The direction of L-BFGS: minus an approximate inverse Hessian times the gradient. */
function direction(gradient: Float64Array, steps: readonly (readonly [s: Float64Array, y: Float64Array])[]) {
  const q = gradient.map((value) => -value)
  const alphas = steps.map(() => 0)
  for (let i = steps.length - 1; i >= 0; i--) {
    const [s, y] = steps[i]!
    alphas[i] = dot(s, q) / dot(s, y)
    for (let j = 0; j < q.length; j++) q[j]! -= alphas[i]! * y[j]!
  }
  const last = steps.at(-1)
  const scale = last === undefined ? 1 : dot(last[0], last[1]) / dot(last[1], last[1])
  for (let j = 0; j < q.length; j++) q[j]! *= scale
  for (const [i, [s, y]] of steps.entries()) {
    const beta = dot(y, q) / dot(s, y)
    for (let j = 0; j < q.length; j++) q[j]! += (alphas[i]! - beta) * s[j]!
  }
  return q
}

/** Minimizes a convex function by L-BFGS with backtracking, until the maximum norm of the gradient is below `tolerance`. */
function minimize(objective: Objective, size: number, tolerance: number, iterations: number): Float64Array {
  let at = new Float64Array(size)
  let { value, gradient } = objective(at)
  const steps: (readonly [Float64Array, Float64Array])[] = []
  for (let i = 0; i < iterations && gradient.some((each) => Math.abs(each) > tolerance); i++) {
    const move = direction(gradient, steps)
    const slope = dot(gradient, move)
    let step = 1
    let next = at.map((each, j) => each + move[j]!)
    let found = objective(next)
    while (found.value > value + 1e-4 * step * slope && step > 1e-12) {
      step /= 2
      next = at.map((each, j) => each + step * move[j]!)
      found = objective(next)
    }
    if (!(found.value < value)) break // no further decrease in double precision
    const [from, before] = [at, gradient]
    const s = next.map((each, j) => each - from[j]!)
    const y = found.gradient.map((each, j) => each - before[j]!)
    if (dot(s, y) > 1e-14) steps.push([s, y])
    if (steps.length > MEMORY) steps.shift()
    ;[at, value, gradient] = [next, found.value, found.gradient]
  }
  return at
}

/**
 * The penalized log-loss of logistic regression, as a function of all coefficients and intercepts, row by row. Its gradient without the penalty
 * is `Σ (p_i − y_i) · x_i`; the further factor `x_i · y_i` that some textbooks print is wrong.
 * Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, equation 4.21.
 */
function penalizedLoss(rows: readonly (readonly number[])[], labels: readonly number[], outputs: number, c: number) {
  const width = rows[0]!.length + 1
  return (at: Float64Array) => {
    const gradient = new Float64Array(at.length)
    let value = 0
    for (const [i, features] of rows.entries()) {
      const logits = Array.from(
        { length: outputs },
        (_, k) => dot(features, at.subarray(k * width)) + at[k * width + width - 1]!,
      )
      const p = probabilitiesOf(logits)
      value -= Math.log(p[labels[i]!]!)
      for (let k = 0; k < outputs; k++) {
        const label = outputs === 1 ? 1 : k
        const error = p[label]! - Number(labels[i] === label)
        for (let j = 0; j < width - 1; j++) gradient[k * width + j]! += error * features[j]!
        gradient[k * width + width - 1]! += error
      }
    }
    for (let k = 0; k < outputs; k++)
      for (let j = k * width; j < (k + 1) * width - 1; j++) {
        value += at[j]! ** 2 / (2 * c)
        gradient[j]! += at[j]! / c
      }
    return { value, gradient }
  }
}

/**
 * L2-regularized logistic regression, the minimum of
 *
 *     Σ −log p(y_i | x_i) + ‖W‖² / (2C)
 *
 * over coefficients W and intercepts, which are not penalized. Two classes have one logit, more have a softmax, as in scikit-learn's
 * `LogisticRegression`. Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 4.4.
 * @param rows features of each example, `[examples, features]`
 * @param labels class ids, 0 to `classes − 1`
 * @param inverseStrength C > 0. Default: 1
 * @throws AttuneError `BAD_ARGUMENT` without rows or with fewer than two classes
 */
export function fitLogisticRegression(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  classes: number,
  inverseStrength = 1,
): LogisticRegression {
  if (rows.length === 0 || classes < 2)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `logistic regression: expected rows of at least two classes, got ${rows.length} rows of ${classes}`,
      'Pass labelled rows.',
    )
  const outputs = classes === 2 ? 1 : classes
  const width = rows[0]!.length + 1
  const found = minimize(penalizedLoss(rows, labels, outputs, inverseStrength), outputs * width, 1e-8, 2000)
  const part = (k: number): number[] => Array.from(found.subarray(k * width, (k + 1) * width))
  const all = Array.from({ length: outputs }, (_, k) => part(k))
  return { coefficients: all.map((row) => row.slice(0, -1)), intercepts: all.map((row) => row.at(-1)!) }
}
