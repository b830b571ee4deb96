import { AttuneError, excerpt, isRecord, parseJson } from '@attune/core'

/** Maximum size of an index, two orders of magnitude above that of the largest known one. */
export const MAXIMUM_INDEX = 64 * 1024 * 1024
const MAXIMUM_SHARDS = 1000

/** The index of a sharded checkpoint: file names by tensor name. */
export type WeightsIndex = ReadonlyMap<string, string>

/** Throws `BAD_WEIGHTS_INDEX`. */
export const rejectIndex = (where: string, why: string): never => {
  throw new AttuneError(
    'BAD_WEIGHTS_INDEX',
    `${where} is not a valid index of weight files: ${why}`,
    'Download all files of the checkpoint again; nothing was loaded.',
  )
}

/** True for the name of a safetensors file in the same folder: not a path, not a hidden file. */
const isShardName = (name: unknown): name is string =>
  typeof name === 'string' && name.length <= 255 && /^[^./\\:\0][^/\\:\0]*\.safetensors$/.test(name)

function jsonIn(bytes: Uint8Array, where: string): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return rejectIndex(where, 'it is not JSON')
  }
}

/**
 * Parses a `model.safetensors.index.json`. The files that it names must be in the same folder.
 * @param where the name of the file in error messages
 * @throws AttuneError `BAD_WEIGHTS_INDEX`
 */
export function parseWeightsIndex(bytes: Uint8Array, where: string): WeightsIndex {
  if (bytes.length > MAXIMUM_INDEX) rejectIndex(where, `it has ${bytes.length} bytes, more than ${MAXIMUM_INDEX}`)
  const index = jsonIn(bytes, where)
  const map = isRecord(index) ? index['weight_map'] : undefined
  if (!isRecord(map)) return rejectIndex(where, 'it has no object `weight_map`')
  const entries = Object.entries(map)
  if (entries.length === 0) return rejectIndex(where, 'its weight_map is empty')
  for (const [, file] of entries)
    if (!isShardName(file))
      return rejectIndex(
        where,
        `it names ${typeof file === 'string' ? excerpt(file, 100) : 'a value that is not a string'}, expected a safetensors file in the same folder`,
      )
  const files = new Set(Object.values(map)).size
  if (files > MAXIMUM_SHARDS) return rejectIndex(where, `it names ${files} files, more than ${MAXIMUM_SHARDS}`)
  return new Map(entries as [string, string][])
}
