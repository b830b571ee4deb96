/** Input and output vectors of all words, both `[words, size]`. */
export interface TwoTables {
  readonly size: number
  readonly input: Float32Array
  readonly output: Float32Array
}

/** The first `count` entries of a reused list of row indices. */
export interface Rows {
  readonly rows: Int32Array
  count: number
}

/** ln(1 + eˣ) without overflow. */
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
 * Returns the SGD step with negative sampling: the mean h of the input rows predicts the first target (positive) against the
 * others (negatives).
 *
 *     loss = −ln σ(h · output[targets₀]) − Σ ln σ(−h · output[targetsₙ])
 *
 * With one input this is skip-gram, with several it is CBOW. The gradient is divided by the number of inputs; the original word2vec
 * program applies the full gradient to each (İrsoy et al., Corrected CBOW Performs as well as Skip-gram, 2021).
 *
 * Plain loops over typed arrays: a step is some thousand multiplications on a few rows, less than the launch cost of a tensor
 * operation.
 * @returns a function from inputs, targets (a repeated target counts twice) and the learning rate to the loss before the step
 */
export function negativeSampling(tables: TwoTables): (inputs: Rows, targets: Rows, learningRate: number) => number {
  const { size, input, output } = tables
  const mean = new Float64Array(size)
  const gradient = new Float64Array(size)
  return (inputs, targets, learningRate) => {
    meanOf(tables, inputs, mean)
    gradient.fill(0)
    let loss = 0
    for (let n = 0; n < targets.count; n++) {
      const start = targets.rows[n]! * size
      let score = 0
      for (let i = 0; i < size; i++) score += mean[i]! * output[start + i]!
      const label = n === 0 ? 1 : 0
      loss += softplus(label === 1 ? -score : score)
      const step = learningRate * (label - 1 / (1 + Math.exp(-score)))
      for (let i = 0; i < size; i++) {
        const before = output[start + i]!
        output[start + i] = before + step * mean[i]!
        gradient[i]! += step * before
      }
    }
    const factor = 1 / inputs.count
    for (let n = 0; n < inputs.count; n++) {
      const start = inputs.rows[n]! * size
      for (let i = 0; i < size; i++) input[start + i]! += gradient[i]! * factor
    }
    return loss
  }
}
