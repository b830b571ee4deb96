import { OPTIMIZER, type Optimizer, definePlugin } from '@attune/core'
import { mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * LoRA+: multiplies the updates of the factors `B` of low-rank adapters, so that they train with a larger learning rate than `A`.
 *
 *     Δ ← ratio · Δ   for `….lora_B.weight` and for vectors;   others: Δ
 *
 * A link after an optimizer: before one that adapts its steps (AdamW), a factor on the gradient would cancel out. As in the authors' code
 * and in peft, vectors train with the larger rate too: the biases of a head, and DoRA's magnitudes. Decoupled weight decay is part of the
 * update, and grows with it, as with a learning rate of that size.
 */
export const loraPlus = definePlugin({
  kind: OPTIMIZER,
  name: 'lora-plus',
  summary: 'LoRA+: larger steps for the factor B of low-rank adapters',
  source: 'Hayou, Ghosh and Yu, LoRA+: Efficient Low Rank Adaptation of Large Models, 2024, section 4',
  options: z.strictObject({
    ratio: z
      .number()
      .min(1)
      .max(1000)
      .default(16)
      .describe('Learning rate of B as a multiple of that of A, which is the learning rate of the run'),
  }),
  create: ({ ratio }): Optimizer<Record<never, never>> => ({
    link: 'after',
    init: () => ({}),
    update: (updates, state) => ({
      updates: Object.fromEntries(
        Object.entries(updates).map(([name, u]) => [
          name,
          name.endsWith('.lora_B.weight') || u.rank === 1 ? mul(ratio, u) : u,
        ]),
      ),
      state,
    }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer lora-plus': typeof loraPlus
  }
}

export default loraPlus
