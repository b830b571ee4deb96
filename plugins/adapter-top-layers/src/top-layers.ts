import { ADAPTER, type Model, definePlugin } from '@attune/core'
import { trainOnly } from '@attune/nn'
import { z } from 'zod'

/** Name prefixes of the parameters of the highest `count` layers, and of the groups above the lowest of these. */
function prefixesAbove({ layers }: Model, count: number): readonly string[] {
  const numbered = layers.filter(({ name }) => /layer \d+$/.test(name))
  const stack = numbered.length > 0 ? numbered : layers.filter(({ name }) => name !== 'embeddings')
  const lowest = stack.at(-Math.min(count, stack.length))
  return layers.slice(lowest === undefined ? layers.length : layers.indexOf(lowest)).flatMap(({ prefixes }) => prefixes)
}

/**
 * Partial fine-tuning by depth: the highest `count` layers train, and everything above them (final norm, pooler); the layers below and the
 * embeddings are frozen. A head trains too, unless it is a language-modeling head. More layers than the model has train all but the
 * embeddings. Near neighbour: frozen-layers counts from the input up.
 */
export const topLayers = definePlugin({
  kind: ADAPTER,
  name: 'top-layers',
  summary: 'Trains the highest layers only',
  source: 'Lee, Tang and Lin, What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning, 2019',
  options: z.strictObject({
    count: z.int().min(1).max(10_000).default(1).describe('Number of layers to train, from the output down'),
  }),
  create: ({ count }) =>
    trainOnly('top-layers', (model) => {
      const chosen = prefixesAbove(model, count)
      return (name) => chosen.some((prefix) => name.startsWith(prefix))
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter top-layers': typeof topLayers
  }
}

export default topLayers
