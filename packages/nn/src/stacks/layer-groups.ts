import type { LayerGroup } from '@attune/core'

/**
 * Layer groups of a stack, in depth order: `name 0` with the parameters under `at.0.`, and so on.
 * @param at prefix of the layers' parameters, without the trailing dot
 */
export const layerGroups = (name: string, count: number, at: string): LayerGroup[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${name} ${i}`, prefixes: [`${at}.${i}.`] }))
