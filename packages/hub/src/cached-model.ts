import { join } from 'node:path'
import { AttuneError, isRecord } from '@attune/core'
import { parseBounded } from './bounded-json.js'
import { type ModelCache, isCached, modelCache, readRef, snapshotFolder } from './cache.js'
import { readTree } from './cached-tree.js'
import { HUB_LIMITS } from './limits.js'
import { checkedPath, isCommit, parseModelName, printable } from './model-name.js'
import { neededFiles } from './needed-files.js'
import { outgoingError } from './observe.js'
import { readCached, sizeWithin } from './read-cached.js'
import type { HubSettings } from './settings.js'

/** A model that lies in the cache, whole. */
export interface CachedModel {
  readonly commit: string
  /** The folder to read it from. */
  readonly folder: string
}

const INDEX = 'model.safetensors.index.json'
const UNREADABLE = ['(an index that can be read)']

/** The files that an index of shards names. Of an index that cannot be read, nothing is known to be there. */
async function shardsOf(cache: ModelCache, path: string): Promise<readonly string[]> {
  const text = (await readCached(cache.root, path, HUB_LIMITS.cachedBytes)) ?? ''
  try {
    const index = parseBounded(text)
    const map = isRecord(index) ? index['weight_map'] : undefined
    if (!isRecord(map)) return UNREADABLE
    const shards = [...new Set(Object.values(map))].map((shard) => checkedPath(String(shard), path))
    return shards.length > HUB_LIMITS.files ? UNREADABLE : shards
  } catch {
    return UNREADABLE
  }
}

/**
 * What a snapshot lacks, where no list of the repository's files was kept, as by older versions of the Python library: its
 * description, or weights.
 */
async function lacksByLook(cache: ModelCache, folder: string): Promise<string | undefined> {
  const sizeOf = (name: string): Promise<number | undefined> => sizeWithin(cache.root, join(folder, name))
  const adapter = (await sizeOf('adapter_config.json')) !== undefined
  if (adapter)
    return (await sizeOf('adapter_model.safetensors')) === undefined ? 'adapter_model.safetensors' : undefined
  if ((await sizeOf('config.json')) === undefined) return 'config.json'
  if ((await sizeOf('model.safetensors')) !== undefined) return undefined
  if ((await sizeOf(INDEX)) === undefined) return 'model.safetensors'
  for (const shard of await shardsOf(cache, join(folder, INDEX))) if ((await sizeOf(shard)) === undefined) return shard
  return undefined
}

async function lacks(
  cache: ModelCache,
  name: string,
  commit: string,
  extra: readonly string[],
): Promise<string | undefined> {
  const tree = await readTree(cache, commit)
  const folder = snapshotFolder(cache, commit)
  if (tree === undefined) {
    for (const path of extra)
      if ((await sizeWithin(cache.root, join(folder, checkedPath(path, name)))) === undefined) return path
    return extra.length > 0 ? undefined : lacksByLook(cache, folder)
  }
  const wanted = new Set(
    neededFiles(
      name,
      tree.map(({ path }) => path),
      extra,
    ),
  )
  for (const file of tree) if (wanted.has(file.path) && !(await isCached(cache, commit, file))) return file.path
  return undefined
}

/** As {@link findCached}, inside the package. */
export async function findInCache(
  reference: string,
  settings: HubSettings,
  extra: readonly string[],
): Promise<CachedModel> {
  const { name, revision } = parseModelName(reference)
  const cache = modelCache(settings.cache, name)
  const refuse = (why: string): AttuneError =>
    new AttuneError(
      'HUB_OFFLINE',
      `${name} at ${revision} is not to be had from the cache ${settings.cache}: ${why}`,
      `While the Hub can be reached: HF_HUB_OFFLINE=0 attune download ${reference}`,
    )
  const commit = isCommit(revision) ? revision : await readRef(cache, revision)
  if (commit === undefined) throw refuse('it was never downloaded')
  const missing = await lacks(cache, name, commit, extra)
  if (missing !== undefined) throw refuse(`${printable(missing)} is missing`)
  return { commit, folder: snapshotFolder(cache, commit) }
}

/**
 * Finds a model in the cache, without asking the Hub for anything.
 * @throws AttuneError `HUB_OFFLINE` when it is not there, or not whole; `CANNOT_WRITE` when the cache cannot be read
 */
export const findCached = (
  reference: string,
  settings: HubSettings,
  extra: readonly string[] = [],
): Promise<CachedModel> =>
  findInCache(reference, settings, extra).catch(async (error: unknown) => {
    throw outgoingError(error, settings)
  })
