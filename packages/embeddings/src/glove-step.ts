/** What GloVe learns: each word has a vector as the first of a pair and one as the second, and a bias as each. */
export interface GloVeState {
  readonly size: number
  /** `[words, size]` */
  readonly first: Float32Array
  readonly second: Float32Array
  /** `[words]` */
  readonly firstBias: Float32Array
  readonly secondBias: Float32Array
  /** Sums of squared steps before division, of the same shapes; all 1 at the beginning. */
  readonly squares: Readonly<Record<'first' | 'second' | 'firstBias' | 'secondBias', Float32Array>>
}

/** How a pair counts. */
export interface GloVeStepOptions {
  readonly learningRate: number
  readonly maximumWeight: number
  readonly exponent: number
}

/**
 * One step of AdaGrad on a pair of words that meet x times.
 *
 *     d = first[i] · second[j] + firstBias[i] + secondBias[j] − ln x
 *     loss = ½ · min(1, (x / maximumWeight) ^ exponent) · d²
 *     s = learningRate · gradient;  p ← p − s / √squares;  squares ← squares + s²
 *
 * The squares are those of `s`, as in the authors' program; in Duchi et al., 2011, they are those of the gradient, with which
 * the steps shrink twenty times as fast. Plain loops over typed arrays, for the reason that word2vec has.
 * @returns a function from i, j and x > 0 to the loss before the step
 */
export function gloVeStep(
  { size, first, second, firstBias, secondBias, squares }: GloVeState,
  { learningRate, maximumWeight, exponent }: GloVeStepOptions,
): (i: number, j: number, x: number) => number {
  const descend = (values: Float32Array, seen: Float32Array, at: number, step: number): void => {
    values[at]! -= step / Math.sqrt(seen[at]!)
    seen[at]! += step * step
  }
  return (i, j, x) => {
    const [a, b] = [i * size, j * size]
    let difference = firstBias[i]! + secondBias[j]! - Math.log(x)
    for (let k = 0; k < size; k++) difference += first[a + k]! * second[b + k]!
    const weight = x < maximumWeight ? (x / maximumWeight) ** exponent : 1
    const step = learningRate * weight * difference
    for (let k = 0; k < size; k++) {
      const one = first[a + k]!
      descend(first, squares.first, a + k, step * second[b + k]!)
      descend(second, squares.second, b + k, step * one)
    }
    descend(firstBias, squares.firstBias, i, step)
    descend(secondBias, squares.secondBias, j, step)
    return 0.5 * weight * difference * difference
  }
}
