import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import {
  addDecayedWeights,
  chain,
  matchesPattern,
  movingAverage,
  orthogonalize,
  partition,
  scaleByAdam,
  scaleByLearningRate,
  weightDecayOption,
  zerosOf,
} from '@attune/nn'
import { type Tensor, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Moving average of gradients: one tensor per parameter, of its shape. */
type State = { readonly mean: Params }

const SCALES = {
  original: (rows: number, columns: number) => Math.sqrt(Math.max(1, rows / columns)),
  adamw: (rows: number, columns: number) => 0.2 * Math.sqrt(Math.max(rows, columns)),
}

/** Orthogonalized Nesterov momentum of matrices. */
const orthogonalMomentum = (momentum: number, iterations: number, scale: keyof typeof SCALES): Optimizer<State> => ({
  init: (params) => ({ mean: zerosOf(params) }),
  update(grads, state) {
    const mean = movingAverage(momentum, state.mean, grads)
    const updates = mapParams(
      (direction: Tensor) => {
        const [rows, columns] = direction.shape as [number, number]
        return mul(SCALES[scale](rows, columns), orthogonalize(direction, iterations))
      },
      movingAverage(momentum, mean, grads),
    )
    return { updates, state: { mean } }
  },
})

/**
 * Muon: momentum orthogonalized by Newton–Schulz iterations, for the matrices of hidden layers; AdamW for all other parameters.
 *
 *     m ← momentum · m + (1 − momentum) · g,   d = momentum · m + (1 − momentum) · g
 *     Δ = −learningRate · (scale · orthogonalize(d) + weightDecay · p)
 *
 * A parameter is in Muon's group if it has rank 2 and its name matches no pattern of `adamw`: embeddings and heads have rows that are not
 * directions of one space. With `scale: adamw` the root mean square of an update is about 0.2, that of AdamW, so one learning rate suits
 * both groups; `original` is the scale of the first implementation, with learning rates near 0.02. The iteration runs in float32, in
 * torch.optim.Muon in bfloat16.
 */
export const muon = definePlugin({
  kind: OPTIMIZER,
  name: 'muon',
  summary: 'Orthogonalized momentum for matrices, AdamW for all other parameters (Muon)',
  source:
    'Jordan et al., Muon: An optimizer for hidden layers, 2024; scale adamw: Liu et al., Muon is Scalable, 2025, equation 4',
  options: z.strictObject({
    momentum: z.number().min(0).lt(1).default(0.95).describe('Momentum: decay rate of the mean gradient of matrices'),
    iterations: z.int().min(1).max(20).default(5).describe('Newton–Schulz iterations'),
    scale: z.enum(['adamw', 'original']).default('adamw').describe('Size of the updates of matrices'),
    weightDecay: weightDecayOption(0.1),
    adamw: z
      .array(z.string())
      .default(['*embed*', '*wte*', '*wpe*', '*shared*', 'classifier*', '*head*', '*decoder.weight'])
      .describe('Name patterns of matrices that AdamW updates; * matches any characters'),
    beta1: z.number().min(0).lt(1).default(0.9).describe('Decay rate of the mean gradient in AdamW'),
    beta2: z.number().min(0).lt(1).default(0.999).describe('Decay rate of the mean squared gradient in AdamW'),
    epsilon: z.number().positive().default(1e-8).describe('Added to the denominator of AdamW for numerical stability'),
  }),
  create: ({ momentum, iterations, scale, weightDecay, adamw, beta1, beta2, epsilon }) =>
    chain(
      partition(
        (name, { rank }) => rank === 2 && !adamw.some((pattern) => matchesPattern(name, pattern)),
        orthogonalMomentum(momentum, iterations, scale),
        scaleByAdam(beta1, beta2, epsilon),
      ),
      addDecayedWeights(weightDecay),
      scaleByLearningRate(),
    ),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer muon': typeof muon
  }
}

export default muon
