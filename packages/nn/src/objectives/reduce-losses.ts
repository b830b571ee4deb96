import { AttuneError, type Batch, type Losses, type OnDevice, type ReducedLoss, isTensor } from '@attune/core'
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
 * Sum of the weights of each of several named losses in a batch, all `[]`; empty for a single loss, whose weights `reduceLosses` returns.
 * Added up over the micro-batches of a step, they are its `totals`.
 */
export function lossWeights(
  given: Losses | Readonly<Record<string, Losses>>,
  batch: OnDevice<Batch>,
): Readonly<Record<string, Tensor>> {
  const named = isLosses(given) ? [] : Object.entries(given)
  if (named.length < 2) return {}
  return Object.fromEntries(named.map(([name, losses]) => [name, sum(weighted(losses, batch))]))
}

/** The weight of a named loss over the whole step. @throws AttuneError `BAD_ARGUMENT` */
function totalOf(totals: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const total = totals[name]
  if (total !== undefined) return total
  throw new AttuneError(
    'BAD_ARGUMENT',
    `expected the total weight of each of several losses over the micro-batches of a step, got none of "${name}"`,
    'Add up the results of `lossWeightsStep` over the micro-batches, and pass them to `accumulateStep`.',
  )
}

/**
 * Weighted sum of losses and sum of their weights, including `exampleWeights` of the batch. Several named losses are each divided by their
 * own weight first, so that their means are summed:
 *
 *     sum = Σ_k (W_first / W_k) · sum_k,   weight = weight_first
 *
 * W are the `totals`. With those of a step, the results for its micro-batches add up to that for the whole batch.
 * @param totals weight of each named loss over all micro-batches, by name, `[]`. Default: those of this batch, which is then the whole one
 * @throws AttuneError `BAD_ARGUMENT` if `totals` lack one of several losses
 */
export function reduceLosses(
  given: Losses | Readonly<Record<string, Losses>>,
  batch: OnDevice<Batch>,
  totals?: Readonly<Record<string, Tensor>>,
): ReducedLoss {
  if (isLosses(given)) {
    const weights = weighted(given, batch)
    return { sum: sum(mul(given.losses, weights)), weight: sum(weights) }
  }
  const named = Object.entries(given)
  const reduced = named.map(([name, losses]) => {
    const own = reduceLosses(losses, batch)
    return { ...own, total: totals === undefined || named.length < 2 ? own.weight : totalOf(totals, name) }
  })
  const [first, ...others] = reduced
  if (first === undefined) throw new Error('trainingLoss returned no losses')
  const scaled = others.map(({ sum: own, total }) => mul(own, div(first.total, total)))
  return { sum: addN([first.sum, ...scaled]), weight: first.weight }
}
