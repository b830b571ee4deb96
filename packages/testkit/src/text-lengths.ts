import type { HostArray } from '@attune/core'

/** How many tokens each row has, or each text of rows that several share. */
export function textLengths(mask: HostArray, segments: HostArray | undefined): number[] {
  const width = mask.shape[1] as number
  const counts = new Map<string, number>()
  for (const [place, real] of mask.values.entries()) {
    if (real === 0) continue
    const text = `${Math.floor(place / width)} ${segments?.values[place] ?? 0}`
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return [...counts.values()]
}
