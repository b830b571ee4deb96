import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AttuneError } from '@attune/core'
import { type ModelCache, isCached, modelCache, readRef, readTree, sizeWithin, snapshotFolder } from './cache.js'
import { isCommit, parseModelName, printable } from './model-name.js'
import { neededFiles } from './needed-files.js'
import type { HubSettings } from './settings.js'

/** A model that lies in the cache, whole. */
export interface CachedModel {
  readonly commit: string
  /** The folder to read it from. */
  readonly folder: string
}

const INDEX = 'model.safetensors.index.json'
const MAXIMUM_INDEX_BYTES = 64 * 1024 * 1024

/** The files that an index of shards names. */
async function shardsOf(path: string, bytes: number): Promise<readonly string[]> {
  if (bytes > MAXIMUM_INDEX_BYTES) return []
  try {
    const { weight_map } = JSON.parse(await readFile(path, 'utf8')) as { readonly weight_map: Record<string, unknown> }
    return [...new Set(Object.values(weight_map).map(String))]
  } catch {
    return ['(an index that can be read)'] // of what the index should name, nothing is known to be there
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
  const index = await sizeOf(INDEX)
  if (index === undefined) return 'model.safetensors'
  for (const shard of await shardsOf(join(folder, INDEX), index)) if ((await sizeOf(shard)) === undefined) return shard
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
    for (const path of extra) if ((await sizeWithin(cache.root, join(folder, path))) === undefined) return path
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

/**
 * Finds a model in the cache, without asking the Hub for anything.
 * @throws AttuneError `HUB_OFFLINE` when it is not there, or not whole
 */
export async function findCached(
  reference: string,
  settings: HubSettings,
  extra: readonly string[] = [],
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
