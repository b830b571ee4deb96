import { AttuneError, type Compared, type LossTerm } from '@attune/core'
import { type Tensor, addN } from '@tensorflow/tfjs-core'
import { crossEntropy } from './cross-entropy.js'

/** Unreduced losses of outputs, given targets: `[n]`. */
export type RowLosses = (outputs: Tensor, targets: Tensor) => Tensor

/**
 * The loss functions of a run as one: their sum, or the objective's default where there are none.
 * @param compares the targets that the objective has
 * @param fallback default: cross-entropy
 * @throws AttuneError `LOSS_MISMATCH` if a loss compares other targets
 */
export function lossOf(terms: readonly LossTerm[], compares: Compared, fallback: RowLosses = crossEntropy): RowLosses {
  const other = terms.find((term) => term.compares !== compares)
  if (other !== undefined)
    throw new AttuneError(
      'LOSS_MISMATCH',
      `expected a loss that compares ${compares}, as the objective has them, got one that compares ${other.compares}`,
      `Choose a loss for ${compares} under \`loss\` of the configuration, or leave it out for the objective's own.`,
    )
  if (terms.length === 0) return fallback
  return (outputs, targets) => addN(terms.map((term) => term.losses(outputs, targets)))
}
