import { MODEL, OPTIMIZER, type Optimizer, definePlugin } from '@attune/core'
import { layersFromTop } from '@attune/nn'
import { cast, greater, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Gradual unfreezing: multiplies the update of each layer by 0 until the layer is unfrozen, from the output to the embeddings.
 *
 *     Δ ← Δ · [step > i · interval],   i: 0 for heads and the layers that are unfrozen first, then 1, 2, … downwards
 *
 * `interval` is `everySteps`, or `over · steps` divided by the number of layers to unfreeze. A link after an optimizer, so that weight decay
 * does not change frozen layers either: their weights stay the same bit for bit. Gradients and moments are computed for frozen layers,
 * too: the optimizer has seen them when a layer is unfrozen, as with a learning rate of 0 in PyTorch and unlike `requires_grad = False`.
 * Nothing is recompiled when a layer is unfrozen. Near neighbour: layer-wise-learning-rate-decay trains lower layers more slowly.
 */
export const gradualUnfreezing = definePlugin({
  kind: OPTIMIZER,
  name: 'gradual-unfreezing',
  summary: 'Gradual unfreezing: layers train from the top down, one after another',
  source: 'Howard and Ruder, ULMFiT, 2018, section 3.3',
  options: z.strictObject({
    over: z.number().positive().max(1).default(0.5).describe('Fraction of all steps after which every layer trains'),
    everySteps: z.int().min(1).optional().describe('Steps from one layer to the next; replaces `over`'),
    initialLayers: z
      .int()
      .min(0)
      .max(10_000)
      .default(1)
      .describe('Layers, from the output down, that train from the first step; 0 for the head only'),
  }),
  needs: { model: MODEL },
  create({ over, everySteps, initialLayers }, { model }): Optimizer<Record<never, never>> {
    const layers = layersFromTop(model)
    const gradual = Math.max(1, layers.length - initialLayers)
    const intervalsOf = (name: string): number =>
      Math.max(0, 1 + layers.findIndex((prefixes) => prefixes.some((each) => name.startsWith(each))) - initialLayers)
    return {
      link: 'after',
      init: () => ({}),
      update(updates, state, _params, { step, steps }) {
        const interval = everySteps ?? mul(over / gradual, steps)
        const isUnfrozen = (name: string) => cast(greater(step, mul(intervalsOf(name), interval)), 'float32')
        const entries = Object.entries(updates).map(([name, u]) => [name, mul(u, isUnfrozen(name))] as const)
        return { updates: Object.fromEntries(entries), state }
      },
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer gradual-unfreezing': typeof gradualUnfreezing
  }
}

export default gradualUnfreezing
