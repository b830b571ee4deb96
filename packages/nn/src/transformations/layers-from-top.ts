import type { Model } from '@attune/core'

/**
 * Name prefixes of the parameters of each layer of a model, from the output to the embeddings. The first entry is the highest layer, with
 * the groups above it (final norm, pooler). A head is in none.
 */
export function layersFromTop({ layers }: Pick<Model, 'layers'>): readonly (readonly string[])[] {
  const numbered = layers.filter(({ name }) => /layer \d+$/.test(name)).at(-1)
  const top = numbered === undefined ? layers.length - 1 : layers.indexOf(numbered)
  const above = layers.slice(top).flatMap(({ prefixes }) => prefixes)
  const below = layers.slice(0, Math.max(top, 0)).map(({ prefixes }) => prefixes)
  return [above, ...below.reverse()]
}
