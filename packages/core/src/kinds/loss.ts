import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { kind } from '../kind.js'

/**
 * The targets that a loss compares outputs with.
 * - `labels`: logits `[n, classes]` and int32 class ids `[n]`, −1 where unknown
 * - `numbers`: predictions and float32 targets, both `[n]`
 * - `indicators`: logits and float32 targets in [0, 1], both `[n, classes]`
 * - `vectors`: vectors and float32 target vectors, both `[n, width]`
 */
export type Compared = 'labels' | 'numbers' | 'indicators' | 'vectors'

/** A loss function: unreduced, so that the training loop weights, sums and divides. */
export interface LossTerm {
  readonly compares: Compared
  /** Returns the loss of each row, `[n]`. Weights, masks and means are the caller's. */
  losses(outputs: Tensor, targets: Tensor): Tensor
}

/** Options of every loss. */
const common = z.strictObject({
  weight: z.number().min(0).default(1).describe('Factor of this loss in the sum of all losses'),
})

/** Loss functions. None: the objective's default; several are added with their weights. */
export const LOSS = kind<LossTerm>('loss', 'many', { options: common })
