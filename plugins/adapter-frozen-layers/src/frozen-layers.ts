import { ADAPTER, type Adapter, AttuneError, type LayerGroup, type Params, definePlugin } from '@attune/core'
import { z } from 'zod'

const options = z.strictObject({
  count: z
    .int()
    .min(0)
    .max(10_000)
    .default(1)
    .describe('Number of layer groups to freeze, from the input up; 1 freezes the embeddings'),
})

/** Splits parameters by whether they belong to one of the layer groups. */
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
 * Partial fine-tuning: the lowest layer groups are frozen at their pretrained values and need neither gradients nor optimizer
 * state.
 */
export const frozenLayers = definePlugin({
  kind: ADAPTER,
  name: 'frozen-layers',
  summary: 'Freezes the lowest layer groups and trains the others',
  source: 'Lee, Tang and Lin, What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning, 2019',
  options,
  create: ({ count }): Adapter => ({
    adapt(model, params) {
      const { inside: frozen, outside: trainable } = divide(params, model.layers.slice(0, count))
      if (Object.keys(trainable).length === 0)
        throw new AttuneError(
          'NOTHING_TRAINS',
          `adapter frozen-layers: expected \`count\` below the number of layer groups, got ${count} of ${model.layers.length}, and the model has no head: nothing would train`,
          `Freeze fewer groups. The groups are ${model.layers.map(({ name }) => name).join(', ')}.`,
        )
      return { model, trainable, frozen, merge: (trained, kept) => ({ ...kept, ...trained }) }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter frozen-layers': typeof frozenLayers
  }
}

export default frozenLayers
