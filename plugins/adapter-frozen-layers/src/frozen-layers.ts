import { ADAPTER, type Adapter, AttuneError, type LayerGroup, type Params, definePlugin } from '@attune/core'
import { z } from 'zod'

const options = z.strictObject({
  count: z
    .int()
    .min(0)
    .max(10_000)
    .default(1)
    .describe('Groups of layers that stay as they are, from the input up: 1 is the embeddings'),
})

/** The parameters of some groups, and the others. */
function divide(params: Params, groups: readonly LayerGroup[]): { readonly inside: Params; readonly outside: Params } {
  const prefixes = groups.flatMap((group) => group.prefixes)
  const belongs = ([name]: [string, unknown]): boolean => prefixes.some((prefix) => name.startsWith(prefix))
  const entries = Object.entries(params)
  return {
    inside: Object.fromEntries(entries.filter(belongs)),
    outside: Object.fromEntries(entries.filter((entry) => !belongs(entry))),
  }
}

/**
 * Training of the upper layers only: the lowest groups keep what pretraining gave them, and cost neither gradients nor the
 * optimizer's memory.
 */
export const frozenLayers = definePlugin({
  kind: ADAPTER,
  name: 'frozen-layers',
  summary: 'The lowest groups of layers stay as they are, the others train',
  source: 'Lee, Tang and Lin, What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning, 2019',
  options,
  create: ({ count }): Adapter => ({
    adapt(model, params) {
      const { inside: frozen, outside: trainable } = divide(params, model.layers.slice(0, count))
      if (Object.keys(trainable).length === 0)
        throw new AttuneError(
          'NOTHING_TRAINS',
          `adapter frozen-layers: \`count\` is ${count}, and the model has ${model.layers.length} groups of layers, so that nothing would train`,
          `Freeze fewer: ${model.layers.map(({ name }) => name).join(', ')} are the groups.`,
        )
      return { model, trainable, frozen, merge: (trained, kept) => ({ ...kept, ...trained }) }
    },
  }),
})
export default frozenLayers
