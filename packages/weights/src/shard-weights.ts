import type { HostArray } from '@attune/core'
import { type FloatStorage, encodeSafetensors } from './safetensors.js'

/** Bytes of a file of weights beyond which they are written in several: less than what one read or one buffer can hold. */
const MAXIMUM_BYTES = 1_000_000_000

const bytesOf = ({ dtype, values }: HostArray, floats: FloatStorage): number =>
  dtype === 'float32' && floats === 'float16' ? values.length * 2 : values.byteLength

/** Names in order, as many together as fit; one that is larger than the limit stands alone. */
function groups(tensors: Readonly<Record<string, HostArray>>, floats: FloatStorage, limit: number): string[][] {
  const all: string[][] = [[]]
  let room = limit
  for (const name of Object.keys(tensors).sort()) {
    const bytes = bytesOf(tensors[name]!, floats)
    if (bytes > room && all.at(-1)!.length > 0) {
      all.push([])
      room = limit
    }
    all.at(-1)!.push(name)
    room -= bytes
  }
  return all
}

/**
 * The files of weights by name: `model.safetensors`, or, beyond so many bytes, several with the index that tells which tensor
 * is in which, named as the Hugging Face library names them. A file is encoded when it is asked for, so that no more than one
 * is in memory beside the tensors.
 */
export function shardWeights(
  tensors: Readonly<Record<string, HostArray>>,
  floats: FloatStorage = 'float32',
  maximumBytes: number = MAXIMUM_BYTES,
): Readonly<Record<string, string | (() => Uint8Array)>> {
  const parts = groups(tensors, floats, maximumBytes)
  const encode = (names: readonly string[]) => () =>
    encodeSafetensors(Object.fromEntries(names.map((name) => [name, tensors[name]!])), { format: 'pt' }, floats)
  if (parts.length === 1) return { 'model.safetensors': encode(parts[0]!) }
  const padded = (n: number): string => String(n).padStart(5, '0')
  const fileOf = (i: number): string => `model-${padded(i + 1)}-of-${padded(parts.length)}.safetensors`
  const index = {
    metadata: {
      total_parameters: Object.values(tensors).reduce((sum, { values }) => sum + values.length, 0),
      total_size: Object.values(tensors).reduce((sum, array) => sum + bytesOf(array, floats), 0),
    },
    weight_map: Object.fromEntries(parts.flatMap((names, i) => names.map((name) => [name, fileOf(i)]))),
  }
  return {
    ...Object.fromEntries(parts.map((names, i) => [fileOf(i), encode(names)])),
    'model.safetensors.index.json': `${JSON.stringify(index, null, 2)}\n`,
  }
}
