import { z } from 'zod'

/** Options of optimizers with the moments of Adam. */
export const adamOptions = {
  beta1: z.number().min(0).lt(1).default(0.9).describe('Decay rate of the mean gradient (first moment)'),
  beta2: z.number().min(0).lt(1).default(0.999).describe('Decay rate of the mean squared gradient (second moment)'),
  epsilon: z.number().positive().default(1e-8).describe('Added to the denominator for numerical stability'),
}

/** Option for decoupled weight decay, by {@link addDecayedWeights}. */
export const weightDecayOption = (standard: number) =>
  z
    .number()
    .min(0)
    .default(standard)
    .describe('Weight decay per step, multiplied by the learning rate; biases and norms are excluded')
