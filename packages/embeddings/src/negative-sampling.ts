/** Two vectors a word: one as what is looked at, one as what is predicted. Both `[words, size]`. */
export interface TwoTables {
  readonly size: number
  readonly input: Float32Array
  readonly output: Float32Array
}

/** Rows of a table; those from `count` on are left over from before. */
export interface Rows {
  readonly rows: Int32Array
  count: number
}

/** ln(1 + eˣ), which does not overflow. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

function meanOf({ input, size }: TwoTables, { rows, count }: Rows, mean: Float64Array): void {
  mean.fill(0)
  for (let n = 0; n < count; n++) {
    const start = rows[n]! * size
    for (let i = 0; i < size; i++) mean[i]! += input[start + i]!
  }
  if (count > 1) for (let i = 0; i < size; i++) mean[i]! /= count
}

/**
 * One step of stochastic gradient descent with negative sampling: the mean h of the inputs' rows is to predict the first of
 * the targets, and not the others.
 *
 *     loss = −ln σ(h · output[targets₀]) − Σ ln σ(−h · output[targetsₙ])
 *
 * With one input this is skip-gram, with several it is CBOW. Each input gets its share of the gradient, which is divided by
 * their number; word2vec's own program gives each the whole of it (İrsoy et al., Corrected CBOW Performs as well as
 * Skip-gram, 2021).
 *
 * Plain loops over typed arrays: a step is some thousand multiplications on a few rows, less than what one operation on
 * tensors costs before it begins.
 * @returns a function from inputs, targets (a target that is there twice counts twice) and the learning rate to the loss
 *   before the step
 */
export function negativeSampling(tables: TwoTables): (inputs: Rows, targets: Rows, learningRate: number) => number {
  const { size, input, output } = tables
  const mean = new Float64Array(size)
  const change = new Float64Array(size)
  return (inputs, targets, learningRate) => {
    meanOf(tables, inputs, mean)
    change.fill(0)
    let loss = 0
    for (let n = 0; n < targets.count; n++) {
      const start = targets.rows[n]! * size
      let score = 0
      for (let i = 0; i < size; i++) score += mean[i]! * output[start + i]!
      const wanted = n === 0 ? 1 : 0
      loss += softplus(wanted === 1 ? -score : score)
      const step = learningRate * (wanted - 1 / (1 + Math.exp(-score)))
      for (let i = 0; i < size; i++) {
        const before = output[start + i]!
        output[start + i] = before + step * mean[i]!
        change[i]! += step * before
      }
    }
    const part = 1 / inputs.count
    for (let n = 0; n < inputs.count; n++) {
      const start = inputs.rows[n]! * size
      for (let i = 0; i < size; i++) input[start + i]! += change[i]! * part
    }
    return loss
  }
}
