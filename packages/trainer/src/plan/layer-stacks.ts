import type { LayerGroup, Model } from '@attune/core'

/** Numbered layers of a model by stack: `layer`, or `encoder` and `decoder`. */
export type Stacks = ReadonlyMap<string, readonly LayerGroup[]>

const stackOf = ({ name }: LayerGroup): string | undefined => {
  const kind = /^(.*\S) \d+$/.exec(name)?.[1]
  return kind === undefined ? undefined : kind.replace(/ layer$/, '')
}

/** The stacks of a model, in depth order. */
export function stacksOf({ layers }: Pick<Model, 'layers'>): Stacks {
  const stacks = new Map<string, LayerGroup[]>()
  for (const group of layers) {
    const stack = stackOf(group)
    if (stack !== undefined) stacks.set(stack, [...(stacks.get(stack) ?? []), group])
  }
  return stacks
}
