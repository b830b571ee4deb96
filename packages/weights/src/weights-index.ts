import { AttuneError, excerpt, isRecord, parseJson } from '@attune/core'

/** Larger than any index there is by two orders of magnitude. */
export const MAXIMUM_INDEX = 64 * 1024 * 1024
const MOST_SHARDS = 1000

/** Where the tensors of a checkpoint in several files are: the file of each by the tensor's name. */
export type WeightsIndex = ReadonlyMap<string, string>

/** Refuses an index, or what it leads to. */
export const refuseIndex = (where: string, why: string): never => {
  throw new AttuneError(
    'BAD_WEIGHTS_INDEX',
    `${where} is not a sound index of weight files: ${why}`,
    'Fetch the checkpoint again, all of its files; nothing was loaded from it.',
  )
}

/** A file of the very folder: no path, no hidden file, of the one kind that is opened. */
const isShardName = (name: unknown): name is string =>
  typeof name === 'string' && name.length <= 255 && /^[^./\\:\0][^/\\:\0]*\.safetensors$/.test(name)

function jsonIn(bytes: Uint8Array, where: string): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return refuseIndex(where, 'it is not JSON')
  }
}

/**
 * Reads a `model.safetensors.index.json`. Files that it names must stand in its own folder.
 * @param where what to call the file in errors
 * @throws AttuneError `BAD_WEIGHTS_INDEX`
 */
export function parseWeightsIndex(bytes: Uint8Array, where: string): WeightsIndex {
  if (bytes.length > MAXIMUM_INDEX) refuseIndex(where, `it has ${bytes.length} bytes, more than ${MAXIMUM_INDEX}`)
  const index = jsonIn(bytes, where)
  const map = isRecord(index) ? index['weight_map'] : undefined
  if (!isRecord(map)) return refuseIndex(where, 'it has no object `weight_map`')
  const entries = Object.entries(map)
  if (entries.length === 0) return refuseIndex(where, 'its weight_map is empty')
  for (const [, file] of entries)
    if (!isShardName(file))
      return refuseIndex(
        where,
        `it names ${typeof file === 'string' ? excerpt(file, 100) : 'what is no text'}, which is no safetensors file of its folder`,
      )
  const files = new Set(Object.values(map)).size
  if (files > MOST_SHARDS) return refuseIndex(where, `it names ${files} files, more than ${MOST_SHARDS}`)
  return new Map(entries as [string, string][])
}
