import type { Losses } from '@attune/core'
import { type Tensor, argMax, concat, reshape, split } from '@tensorflow/tfjs-core'
import { crossEntropy } from './cross-entropy.js'
import type { RowLosses } from './loss-of.js'

/** What is said of each token: its loss, float32, and the likeliest token there, int32; both of the targets' shape. */
export interface TokenLosses extends Record<string, Tensor> {
  readonly losses: Tensor
  readonly best: Tensor
}

/** Logits that are there at one time, at most: 64 MB of them. */
const LOGITS = 1 << 24

/** The sizes of as few and as equal parts of some rows as have at most `most` logits each, or one row. */
function partsOf(rows: number, classes: number, most: number): number[] {
  const size = Math.ceil(rows / Math.ceil(rows / Math.max(1, Math.floor(most / classes))))
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) => Math.min(size, rows - i * size))
}

/** The losses and likeliest tokens of some logits `[…, vocabulary]`, for int32 `targets` `[…]`. */
export function lossesFromLogits(logits: Tensor, targets: Tensor, lossOf: RowLosses = crossEntropy): TokenLosses {
  const rows = reshape(logits, [-1, logits.shape.at(-1) as number])
  const losses = lossOf(rows, reshape(targets, [-1]))
  return { losses: reshape(losses, targets.shape), best: reshape(argMax(rows, -1), targets.shape) }
}

/** States `[…, hidden]` and int32 `targets`, one for each state; `vocabulary` is the number of logits of a state, `lossOf` the loss of each (default: cross-entropy). */
export interface TokenTargets {
  readonly states: Tensor
  readonly targets: Tensor
  readonly vocabulary: number
  readonly lossOf?: RowLosses
}

/**
 * The losses and likeliest tokens of some states, of which `logitsOf` gives the logits: from `[rows, hidden]` to `[rows, vocabulary]`. With a large
 * vocabulary the logits of all tokens are far larger than anything else that a step makes, and three tensors of that size are there at once:
 * they are made in parts of 64 MB, of which each is done with before the next one is begun, its gradient included.
 * @param most logits that are there at one time
 */
export function tokenLosses(
  logitsOf: (states: Tensor) => Tensor,
  { states, targets, vocabulary, lossOf = crossEntropy }: TokenTargets,
  most = LOGITS,
): TokenLosses {
  const rows = reshape(states, [-1, states.shape.at(-1) as number])
  const sizes = partsOf(rows.shape[0] as number, vocabulary, most)
  // TF.js' gradient of a split fails where there is one part.
  const cut = (x: Tensor): Tensor[] => (sizes.length > 1 ? split(x, sizes) : [x])
  const wanted = cut(reshape(targets, [-1]))
  const parts = cut(rows).map((part, i) => lossesFromLogits(logitsOf(part), wanted[i]!, lossOf))
  const joined = (name: 'losses' | 'best'): Tensor => reshape(concat(parts.map((part) => part[name]!)), targets.shape)
  return { losses: joined('losses'), best: joined('best') }
}

/** The losses of tokens with the weights of their batch, and the position of each token's text where several share a row. */
export const packedLosses = (
  losses: Tensor,
  { weights, examples }: { readonly weights: Tensor; readonly examples?: Tensor },
): Losses => ({ losses, weights, ...(examples === undefined ? {} : { examples }) })
