import { type SampledData, shuffled } from '@attune/core'

/** The indices of the examples of each group, in order, by the name of the group. */
export function indicesByGroup({ count, group }: SampledData): ReadonlyMap<string, readonly number[]> {
  const groups = new Map<string, number[]>()
  for (let index = 0; index < count; index++) {
    const name = group(index)
    const known = groups.get(name)
    if (known === undefined) groups.set(name, [index])
    else known.push(index)
  }
  return groups
}

/** Yields indices in random order, again and again; each once before any again. */
export function* endlessly(indices: readonly number[], random: () => number): Generator<number, never> {
  for (;;) yield* shuffled(indices, random)
}
