import { type Batch, type Losses, type OnDevice, type ReducedLoss, isTensor } from '@attune/core'
import { type Tensor, addN, div, gather, mul, reshape, sum } from '@tensorflow/tfjs-core'

/** Multiplies the weights of losses by those of their examples. */
function weighted({ losses, weights, examples }: Losses, batch: OnDevice<Batch>): Tensor {
  const own = batch['exampleWeights'] as Tensor | undefined
  if (own === undefined) return weights
  if (examples !== undefined) return mul(weights, reshape(gather(own, reshape(examples, [-1]) as never), weights.shape))
  return mul(weights, losses.rank === 1 ? own : reshape(own, [-1, ...new Array<number>(losses.rank - 1).fill(1)]))
}

const isLosses = (given: Losses | Readonly<Record<string, Losses>>): given is Losses => isTensor(given['losses'])

/**
 * Weighted sum of losses and sum of their weights, including `exampleWeights` of the batch. Several named losses are each divided by their
 * own weight first, so that their means are summed.
 */
export function reduceLosses(given: Losses | Readonly<Record<string, Losses>>, batch: OnDevice<Batch>): ReducedLoss {
  if (isLosses(given)) {
    const weights = weighted(given, batch)
    return { sum: sum(mul(given.losses, weights)), weight: sum(weights) }
  }
  const [first, ...others] = Object.values(given).map((losses) => reduceLosses(losses, batch))
  if (first === undefined) throw new Error('trainingLoss returned no losses')
  const scaled = others.map(({ sum: total, weight }) => mul(total, div(first.weight, weight)))
  return { sum: addN([first.sum, ...scaled]), weight: first.weight }
}
