import type { Losses, Mode } from '@attune/core'
import { type Tensor, argMax, concat, reshape, split } from '@tensorflow/tfjs-core'
import { crossEntropy } from './cross-entropy.js'
import type { RowLosses } from './loss-of.js'
import { sampleTokens } from './sample-tokens.js'

/**
 * Per-token loss (float32) and argmax prediction (int32), both of the shape of the targets; and the logits, `[targets, vocabulary]`, if the
 * mode keeps them. `sampled` are tokens sampled from the predicted distribution (int32), if they were requested.
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

/** Losses and argmax tokens of logits `[…, vocabulary]`, for int32 `targets` `[…]`; and sampled tokens, for `uniforms` `[…]`. */
export function lossesFromLogits(
  logits: Tensor,
  targets: Tensor,
  lossOf: RowLosses = crossEntropy,
  mode?: Mode,
  uniforms?: Tensor,
): TokenLosses {
  const rows = reshape(logits, [-1, logits.shape.at(-1) as number])
  const losses = lossOf(rows, reshape(targets, [-1]))
  const best = reshape(argMax(rows, -1), targets.shape)
  return {
    losses: reshape(losses, targets.shape),
    best,
    ...(keepsLogits(mode) ? { logits: rows } : {}),
    ...(uniforms === undefined ? {} : { sampled: reshape(sampleTokens(rows, reshape(uniforms, [-1])), targets.shape) }),
  }
}

/**
 * Hidden states `[…, hidden]` and an int32 target for each. `vocabulary` is the number of logits per state, `lossOf`
 * the loss of each row (default: cross-entropy). The logits are returned if `mode` keeps them; they are otherwise computed in chunks.
 * `uniforms`, in [0, 1) and of the shape of the targets, request a sampled token for each.
 */
export interface TokenTargets {
  readonly states: Tensor
  readonly targets: Tensor
  readonly vocabulary: number
  readonly lossOf?: RowLosses
  readonly mode?: Mode
  readonly uniforms?: Tensor
}

/**
 * Losses and argmax tokens of hidden states. `logitsOf` computes logits, `[rows, hidden]` to `[rows, vocabulary]`.
 * With a large vocabulary the logits dominate the memory of a step, which holds three tensors of their size. They are
 * therefore computed in chunks of 64 MB; each chunk, including its gradient, is finished before the next one starts.
 * @param most maximum number of logits in memory at one time
 */
export function tokenLosses(
  logitsOf: (states: Tensor) => Tensor,
  { states, targets, vocabulary, lossOf = crossEntropy, mode, uniforms }: TokenTargets,
  most = MAX_LOGITS,
): TokenLosses {
  if (keepsLogits(mode)) return lossesFromLogits(logitsOf(states), targets, lossOf, mode, uniforms)
  const rows = reshape(states, [-1, states.shape.at(-1) as number])
  const sizes = chunkSizes(rows.shape[0] as number, vocabulary, most)
  // TF.js' gradient of a split fails for a single part.
  const chunk = (x: Tensor): Tensor[] => (sizes.length > 1 ? split(x, sizes) : [x])
  const [wanted, numbers] = [targets, uniforms].map((x) => (x === undefined ? [] : chunk(reshape(x, [-1]))))
  const parts = chunk(rows).map((part, i) =>
    lossesFromLogits(logitsOf(part), wanted![i]!, lossOf, undefined, numbers![i]),
  )
  const joined = (name: string): Tensor => reshape(concat(parts.map((part) => part[name]!)), targets.shape)
  const sampled = uniforms === undefined ? {} : { sampled: joined('sampled') }
  return { losses: joined('losses'), best: joined('best'), ...sampled }
}

/** Token losses with the weights of their batch and, for packed rows, the index of each token's text. */
export const packedLosses = (
  losses: Tensor,
  { weights, examples }: { readonly weights: Tensor; readonly examples?: Tensor },
): Losses => ({ losses, weights, ...(examples === undefined ? {} : { examples }) })
