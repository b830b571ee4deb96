import { AttuneError, type Compared, type LossTerm } from '@attune/core'
import { type Tensor, addN } from '@tensorflow/tfjs-core'
import { crossEntropy } from './cross-entropy.js'

/** Unreduced losses of outputs for targets: `[n]`. */
export type RowLosses = (outputs: Tensor, targets: Tensor) => Tensor

/**
 * Sum of the loss functions of a run, or the objective's default if there are none.
 * @param compares kinds of targets that the objective has
 * @param fallback default: cross-entropy
 * @throws AttuneError `LOSS_MISMATCH` if a loss compares another kind of targets
 */
export function lossOf(
  terms: readonly LossTerm[],
  compares: Compared | readonly Compared[],
  fallback: RowLosses = (outputs, targets) => crossEntropy(outputs, targets),
): RowLosses {
  const accepted = [compares].flat()
  const other = terms.find((term) => !accepted.includes(term.compares))
  if (other !== undefined)
    throw new AttuneError(
      'LOSS_MISMATCH',
      `expected a loss that compares ${accepted.join(' or ')}, the targets of the objective, got one that compares ${other.compares}`,
      `Choose a loss for ${accepted.join(' or ')} under \`loss\` in the configuration, or remove it to use the objective's own.`,
    )
  if (terms.length === 0) return fallback
  return (outputs, targets) => addN(terms.map((term) => term.losses(outputs, targets)))
}
