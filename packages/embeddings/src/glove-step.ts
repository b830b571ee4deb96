/** Parameters of GloVe: word and context vectors (first and second word of a pair), and a bias for each. */
export interface GloVeState {
  readonly size: number
  /** `[words, size]` */
  readonly first: Float32Array
  readonly second: Float32Array
  /** `[words]` */
  readonly firstBias: Float32Array
  readonly secondBias: Float32Array
  /** AdaGrad accumulators of squared steps, of the same shapes; initially 1. */
  readonly squares: Readonly<Record<'first' | 'second' | 'firstBias' | 'secondBias', Float32Array>>
}

/** Options of a GloVe step. */
export interface GloVeStepOptions {
  readonly learningRate: number
  readonly maximumWeight: number
  readonly exponent: number
}

/**
 * Returns the AdaGrad step on a word pair with co-occurrence count x.
 *
 *     d = first[i] · second[j] + firstBias[i] + secondBias[j] − ln x
 *     loss = ½ · min(1, (x / maximumWeight) ^ exponent) · d²
 *     s = learningRate · gradient;  p ← p − s / √squares;  squares ← squares + s²
 *
 * The accumulators hold squares of `s`, as in the authors' program. In Duchi et al., 2011, they hold squares of the gradient, which
 * shrinks the steps twenty times as fast. Plain loops over typed arrays, as in word2vec.
 * @returns a function from i, j and x > 0 to the loss before the step
 */
export function gloVeStep(
  { size, first, second, firstBias, secondBias, squares }: GloVeState,
  { learningRate, maximumWeight, exponent }: GloVeStepOptions,
): (i: number, j: number, x: number) => number {
  const update = (values: Float32Array, accumulator: Float32Array, at: number, step: number): void => {
    values[at]! -= step / Math.sqrt(accumulator[at]!)
    accumulator[at]! += step * step
  }
  return (i, j, x) => {
    const [a, b] = [i * size, j * size]
    let difference = firstBias[i]! + secondBias[j]! - Math.log(x)
    for (let k = 0; k < size; k++) difference += first[a + k]! * second[b + k]!
    const weight = x < maximumWeight ? (x / maximumWeight) ** exponent : 1
    const step = learningRate * weight * difference
    for (let k = 0; k < size; k++) {
      const previous = first[a + k]!
      update(first, squares.first, a + k, step * second[b + k]!)
      update(second, squares.second, b + k, step * previous)
    }
    update(firstBias, squares.firstBias, i, step)
    update(secondBias, squares.secondBias, j, step)
    return 0.5 * weight * difference * difference
  }
}
