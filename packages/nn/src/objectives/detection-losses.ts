import type { Losses } from '@attune/core'
import {
  type Tensor,
  add,
  cast,
  concat,
  div,
  equal,
  expandDims,
  maximum,
  mul,
  range,
  reshape,
  sub,
  sum,
} from '@tensorflow/tfjs-core'
import { binaryCrossEntropy } from '../heads/binary-cross-entropy.js'

/** Masked positions of texts, `[rows, masked tokens]`: int32 `positions`, and float32 `weights`, 0 for padding. */
export interface MaskedPositions {
  readonly positions: Tensor
  readonly weights: Tensor
}

/**
 * Texts in which some tokens are replaced, int32 `[rows, length]`.
 * @param inputIds int32 `[rows, length]`
 * @param tokens replacements at the masked positions, int32 `[rows, masked tokens]`
 */
export function replaceTokens(inputIds: Tensor, { positions, weights }: MaskedPositions, tokens: Tensor): Tensor {
  const all = range(0, inputIds.shape[1]!, 1, 'int32')
  const isAt = mul(cast(equal(expandDims(positions, 2), all), 'float32'), expandDims(weights, 2)) // [rows, masked, length]
  const replaced = sum(mul(isAt, expandDims(cast(tokens, 'float32'), 2)), 1) // [rows, length]
  return cast(add(replaced, mul(cast(inputIds, 'float32'), sub(1, sum(isAt, 1)))), 'int32')
}

/** Losses of both models of replaced token detection, and where they count. */
export interface DetectionParts {
  /** Logits of the discriminator that a token was replaced, `[rows, length]`. */
  readonly logits: Tensor
  /** 1 for each replaced token, otherwise 0, float32 `[rows, length]`. */
  readonly isReplaced: Tensor
  /** 1 for each token, 0 for padding, `[rows, length]`. */
  readonly attentionMask: Tensor
  /** Losses of the generator, `[rows, masked tokens]`. */
  readonly modeling: Tensor
  /** 1 for each masked token, 0 for padding, float32 `[rows, masked tokens]`. */
  readonly masked: Tensor
}

/**
 * Sum of the losses of both models of replaced token detection, weighted so that it is exact for any division of the batch: a text counts in
 * proportion to its tokens in both. For texts with the same fraction of masked tokens,
 *
 *     mean of modeling over the masked tokens + λ · mean of the discriminator's binary cross-entropy over all tokens
 *
 * Source: Clark et al., ELECTRA, 2020, section 2.
 * @param weight λ ≥ 0
 * @returns `losses` and `weights` `[rows, length + masked tokens]`
 */
export function detectionLosses(
  { logits, isReplaced, attentionMask, modeling, masked }: DetectionParts,
  weight: number | Tensor,
): Losses {
  const flat = binaryCrossEntropy(reshape(logits, [-1, 1]), reshape(isReplaced, [-1, 1]))
  const detection = reshape(flat, logits.shape)
  const tokens = cast(attentionMask, 'float32')
  const tokensPerMasked = div(sum(tokens, 1, true), maximum(sum(masked, 1, true), 1)) // [rows, 1]
  // Each part has half of the weight, so that its losses are doubled.
  return {
    losses: concat([mul(detection, mul(2, weight)), mul(modeling, 2)], 1),
    weights: concat([mul(tokens, 0.5), mul(masked, mul(tokensPerMasked, 0.5))], 1),
  }
}
