import type { WeightsReader } from '@attune/weights'

/** True if two stored tensors have the same shape and, once read, the same values. */
export function sameValues(reader: WeightsReader, first: string, second: string): boolean {
  const [a, b] = [reader.tensors.get(first), reader.tensors.get(second)]
  if (a === undefined || b === undefined || String(a.shape) !== String(b.shape)) return false
  const { values } = reader.read(first)
  const { values: others } = reader.read(second)
  for (let i = 0; i < values.length; i++) if (!Object.is(values[i]! + 0, others[i]! + 0)) return false
  return true
}
