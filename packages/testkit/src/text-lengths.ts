import { type Batch, type HostArray, isHostArray } from '@attune/core'

/** Number of tokens of each row, or of each text if rows are packed. */
export function textLengths(mask: HostArray, segments: HostArray | undefined): number[] {
  const width = mask.shape[1] as number
  const counts = new Map<string, number>()
  for (const [index, real] of mask.values.entries()) {
    if (real === 0) continue
    const text = `${Math.floor(index / width)} ${segments?.values[index] ?? 0}`
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return [...counts.values()]
}

/** The example of a row: as the batch says by row in `examples`, otherwise the examples take turns. */
export function exampleOfRow(batch: Batch, count: number, row: number): number {
  const examples = batch['examples']
  return isHostArray(examples) && examples.shape.length === 1 ? (examples.values[row] as number) : row % count
}
