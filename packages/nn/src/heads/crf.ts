import {
  type Tensor,
  add,
  exp,
  expandDims,
  log,
  matMul,
  max,
  mul,
  oneHot,
  reshape,
  squeeze,
  sub,
  sum,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core'
import { type ScanStep, scan } from '../engine/scan.js'
import { stopGradient } from '../engine/stop-gradient.js'

/** Scores of a linear-chain CRF: of the first tag `[tags]`, of the last `[tags]`, and from each tag (row) to the next `[tags, tags]`. */
export interface CrfScores extends Record<string, Tensor> {
  readonly start: Tensor
  readonly end: Tensor
  readonly transitions: Tensor
}

/** `log Σ exp(x)` along an axis. */
function logSumExp(x: Tensor, axis: number): Tensor {
  const top = stopGradient(max(x, axis, true))
  return add(squeeze(top, [axis]), log(sum(exp(sub(x, top)), axis)))
}

/** `chosen` where `mask` is 1, `other` where it is 0. */
const select = (mask: Tensor, chosen: Tensor, other: Tensor): Tensor => add(mul(mask, chosen), mul(sub(1, mask), other))

/**
 * One step of the forward algorithm and of the score of the given tags. The carries are the log-sums over all sequences that end in each tag,
 * the last tag as a one-hot vector, the score of the given tags, and 1 if a word was read.
 */
const forwardStep: ScanStep = ([sums, last, score, begun], [emissions, tags, mask], [start, transitions]) => {
  const reached = logSumExp(add(expandDims(sums!, 2), transitions!), 1)
  const from = select(begun!, matMul(last!, transitions!), start!)
  const gained = sum(mul(add(from, emissions!), tags!), 1, true)
  const next = add(emissions!, select(begun!, reached, start!))
  return {
    carry: [
      select(mask!, next, sums!),
      select(mask!, tags!, last!),
      add(score!, mul(mask!, gained)),
      add(begun!, mul(mask!, sub(1, begun!))),
    ],
    outputs: [],
  }
}

/**
 * Negative log-likelihood of tag sequences in a linear-chain conditional random field, `[batch]`: the log-partition by the forward algorithm
 * minus the score of the given tags. `emissions` are `[batch, length, tags]`, `given` int32 tags `[batch, length]`. Positions where `mask`
 * `[batch, length]` is 0 are skipped: the words before and after them are neighbours. A row without words has no meaningful loss.
 * Source: Lafferty et al., Conditional Random Fields, 2001; Lample et al., Neural Architectures for Named Entity Recognition, 2016, section 2.2.
 */
export function crfLosses(
  emissions: Tensor,
  given: Tensor,
  mask: Tensor,
  { start, end, transitions }: CrfScores,
): Tensor {
  const [batch, length, count] = emissions.shape as [number, number, number]
  const timeFirst = (x: Tensor): Tensor => transpose(x, [1, 0, 2])
  const tags = reshape(oneHot(reshape(given, [-1]), count, 1, 0, 'float32'), [batch, length, count])
  const { carry } = scan(
    {
      carry: [zeros([batch, count]), zeros([batch, count]), zeros([batch, 1]), zeros([batch, 1])],
      inputs: [timeFirst(emissions), timeFirst(tags), timeFirst(expandDims(mask, 2))],
      constants: [expandDims(start, 0), transitions],
    },
    forwardStep,
  )
  const [sums, last, score] = carry as [Tensor, Tensor, Tensor]
  const total = add(squeeze(score, [1]), sum(mul(last, end), 1))
  return sub(logSumExp(add(sums, end), 1), total)
}
