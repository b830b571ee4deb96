import type { Losses, Mode } from '@attune/core'
import { type Tensor, argMax, concat, reshape, split } from '@tensorflow/tfjs-core'
import { crossEntropy } from './cross-entropy.js'
import type { RowLosses } from './loss-of.js'

/**
 * Per-token loss (float32) and argmax prediction (int32), both of the shape of the targets; and the logits, `[targets, vocabulary]`, if the
 * mode keeps them.
 */
export interface TokenLosses extends Record<string, Tensor> {
  readonly losses: Tensor
  readonly best: Tensor
}

const keepsLogits = (mode: Mode | undefined): boolean => mode?.keep?.includes('logits') === true

/** Maximum number of logits in memory at one time: 64 MB. */
const MAX_LOGITS = 1 << 24

/** Splits rows into the fewest chunks of nearly equal size that have at most `most` logits each, or one row. */
function chunkSizes(rows: number, classes: number, most: number): number[] {
  const size = Math.ceil(rows / Math.ceil(rows / Math.max(1, Math.floor(most / classes))))
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) => Math.min(size, rows - i * size))
}

/** Losses and argmax tokens of logits `[…, vocabulary]`, for int32 `targets` `[…]`. */
export function lossesFromLogits(
  logits: Tensor,
  targets: Tensor,
  lossOf: RowLosses = crossEntropy,
  mode?: Mode,
): TokenLosses {
  const rows = reshape(logits, [-1, logits.shape.at(-1) as number])
  const losses = lossOf(rows, reshape(targets, [-1]))
  const best = reshape(argMax(rows, -1), targets.shape)
  return { losses: reshape(losses, targets.shape), best, ...(keepsLogits(mode) ? { logits: rows } : {}) }
}

/**
 * Hidden states `[…, hidden]` and an int32 target for each. `vocabulary` is the number of logits per state, `lossOf`
 * the loss of each row (default: cross-entropy). The logits are returned if `mode` keeps them; they are otherwise computed in chunks.
 */
export interface TokenTargets {
  readonly states: Tensor
  readonly targets: Tensor
  readonly vocabulary: number
  readonly lossOf?: RowLosses
  readonly mode?: Mode
}

/**
 * Losses and argmax tokens of hidden states. `logitsOf` computes logits, `[rows, hidden]` to `[rows, vocabulary]`.
 * With a large vocabulary the logits dominate the memory of a step, which holds three tensors of their size. They are
 * therefore computed in chunks of 64 MB; each chunk, including its gradient, is finished before the next one starts.
 * @param most maximum number of logits in memory at one time
 */
export function tokenLosses(
  logitsOf: (states: Tensor) => Tensor,
  { states, targets, vocabulary, lossOf = crossEntropy, mode }: TokenTargets,
  most = MAX_LOGITS,
): TokenLosses {
  if (keepsLogits(mode)) return lossesFromLogits(logitsOf(states), targets, lossOf, mode)
  const rows = reshape(states, [-1, states.shape.at(-1) as number])
  const sizes = chunkSizes(rows.shape[0] as number, vocabulary, most)
  // TF.js' gradient of a split fails for a single part.
  const chunk = (x: Tensor): Tensor[] => (sizes.length > 1 ? split(x, sizes) : [x])
  const wanted = chunk(reshape(targets, [-1]))
  const parts = chunk(rows).map((part, i) => lossesFromLogits(logitsOf(part), wanted[i]!, lossOf))
  const joined = (name: 'losses' | 'best'): Tensor => reshape(concat(parts.map((part) => part[name]!)), targets.shape)
  return { losses: joined('losses'), best: joined('best') }
}

/** Token losses with the weights of their batch and, for packed rows, the index of each token's text. */
export const packedLosses = (
  losses: Tensor,
  { weights, examples }: { readonly weights: Tensor; readonly examples?: Tensor },
): Losses => ({ losses, weights, ...(examples === undefined ? {} : { examples }) })
