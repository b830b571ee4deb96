import type { HostArray } from '@attune/core'
import { type FloatStorage, encodeSafetensors } from './safetensors.js'

/** Default maximum size of a shard, below the limits of a single read and a single buffer. */
const MAXIMUM_BYTES = 1_000_000_000

const bytesOf = ({ dtype, values }: HostArray, floats: FloatStorage): number =>
  dtype === 'float32' && floats === 'float16' ? values.length * 2 : values.byteLength

/** Groups sorted names into shards; a tensor above the limit gets a shard of its own. */
function groupNames(tensors: Readonly<Record<string, HostArray>>, floats: FloatStorage, limit: number): string[][] {
  const all: string[][] = [[]]
  let remaining = limit
  for (const name of Object.keys(tensors).sort()) {
    const bytes = bytesOf(tensors[name]!, floats)
    if (bytes > remaining && all.at(-1)!.length > 0) {
      all.push([])
      remaining = limit
    }
    all.at(-1)!.push(name)
    remaining -= bytes
  }
  return all
}

/**
 * Returns the weight files by name: `model.safetensors`, or, above `maximumBytes`, shards and their index, named as by transformers.
 * Each file is encoded lazily, so that only one is in memory at a time.
 */
export function shardWeights(
  tensors: Readonly<Record<string, HostArray>>,
  floats: FloatStorage = 'float32',
  maximumBytes: number = MAXIMUM_BYTES,
): Readonly<Record<string, string | (() => Uint8Array)>> {
  const shards = groupNames(tensors, floats, maximumBytes)
  const encode = (names: readonly string[]) => () =>
    encodeSafetensors(Object.fromEntries(names.map((name) => [name, tensors[name]!])), { format: 'pt' }, floats)
  if (shards.length === 1) return { 'model.safetensors': encode(shards[0]!) }
  const padded = (n: number): string => String(n).padStart(5, '0')
  const fileOf = (i: number): string => `model-${padded(i + 1)}-of-${padded(shards.length)}.safetensors`
  const index = {
    metadata: {
      total_parameters: Object.values(tensors).reduce((sum, { values }) => sum + values.length, 0),
      total_size: Object.values(tensors).reduce((sum, array) => sum + bytesOf(array, floats), 0),
    },
    weight_map: Object.fromEntries(shards.flatMap((names, i) => names.map((name) => [name, fileOf(i)]))),
  }
  return {
    ...Object.fromEntries(shards.map((names, i) => [fileOf(i), encode(names)])),
    'model.safetensors.index.json': `${JSON.stringify(index, null, 2)}\n`,
  }
}
