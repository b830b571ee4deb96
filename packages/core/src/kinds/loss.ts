import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { kind } from '../kind.js'
import { scheduled } from '../plugin.js'

/**
 * Type of the outputs and targets that a loss compares.
 * - `labels`: logits `[n, classes]` and int32 class ids `[n]`, −1 if unknown
 * - `numbers`: predictions and float32 targets, both `[n]`
 * - `indicators`: logits and float32 targets in [0, 1], both `[n, classes]`
 * - `vectors`: vectors and float32 target vectors, both `[n, width]`
 * - `pairs`: as `vectors`, and the loss of a row also depends on the other rows, which are its negatives
 */
export type Compared = 'labels' | 'numbers' | 'indicators' | 'vectors' | 'pairs'

/** An unreduced loss function; the training loop weights, sums and normalizes. */
export interface LossTerm {
  readonly compares: Compared
  /** Returns the loss per row, `[n]`. The caller applies weights, masks and means. */
  losses(outputs: Tensor, targets: Tensor): Tensor
}

/** Options of every loss. */
export const lossOptions = z.strictObject({
  weight: scheduled(z.number().min(0).default(1)).describe('Weight of this loss in the total loss'),
})

/** Loss functions. Default: the objective's own; several are summed with their weights. */
export const LOSS = kind<LossTerm>('loss', 'many', { options: lossOptions })
