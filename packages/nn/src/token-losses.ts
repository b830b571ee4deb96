import type { Head, Model, Params } from '@attune/core'
import { type Tensor, argMax, concat, reshape, split } from '@tensorflow/tfjs-core'
import { crossEntropy } from './cross-entropy.js'
import { parameter } from './parameter.js'
import { tokenLogits } from './token-logits.js'

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

/** The losses and likeliest tokens of some logits `[…, vocabulary]`, for int32 `targets` `[…]`; `smoothing` as in {@link crossEntropy}. */
export function lossesOfLogits(logits: Tensor, targets: Tensor, smoothing = 0): TokenLosses {
  const rows = reshape(logits, [-1, logits.shape.at(-1) as number])
  const losses = crossEntropy(rows, reshape(targets, [-1]), smoothing)
  return { losses: reshape(losses, targets.shape), best: reshape(argMax(rows, -1), targets.shape) }
}

/**
 * The losses and likeliest tokens of last hidden states `[batch, length, hidden]` for int32 `targets` `[batch, length]`. With a large vocabulary
 * the logits of all tokens are far larger than anything else that a step makes, and three tensors of that size are there at once:
 * they are made in parts of 64 MB, of which each is done with before the next one is begun, its gradient included.
 * @param smoothing of the targets, as in {@link crossEntropy}
 * @param most logits that are there at one time
 */
export function tokenLosses(
  { model, head }: { readonly model: Model; readonly head: Head },
  params: Params,
  states: Tensor,
  targets: Tensor,
  smoothing = 0,
  most = LOGITS,
): TokenLosses {
  const classes = parameter(params, head.parts['weight'] ?? model.wordEmbeddings).shape[0] as number
  const rows = reshape(states, [-1, states.shape.at(-1) as number])
  const sizes = partsOf(rows.shape[0] as number, classes, most)
  // TF.js' gradient of a split fails where there is one part.
  const cut = (x: Tensor): Tensor[] => (sizes.length > 1 ? split(x, sizes) : [x])
  const wanted = cut(reshape(targets, [-1]))
  const parts = cut(rows).map((part, i) =>
    lossesOfLogits(tokenLogits(model, head, params, part), wanted[i]!, smoothing),
  )
  const joined = (name: 'losses' | 'best'): Tensor => reshape(concat(parts.map((part) => part[name]!)), targets.shape)
  return { losses: joined('losses'), best: joined('best') }
}
