import { readdir } from 'node:fs/promises'
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

/** A completely cached model. */
export interface CachedModel {
  readonly commit: string
  /** Snapshot folder of the model. */
  readonly folder: string
}

const INDEX = 'model.safetensors.index.json'
const UNREADABLE = ['(a valid index)']

/** Files listed in an index of shards; for an unreadable index, a placeholder that is never cached. */
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
 * Returns a missing file of a snapshot without a file list, as older versions of the Python library leave it: its
 * configuration or weights.
 */
async function missingWithoutTree(cache: ModelCache, folder: string): Promise<string | undefined> {
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

async function missingFile(
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
    return extra.length > 0 ? undefined : missingWithoutTree(cache, folder)
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

/** The error for a revision whose commit is not in the cache, which may hold the files of other revisions. */
async function withoutRef(
  cache: ModelCache,
  name: string,
  revision: string,
  offlineError: (why: string, remedy?: string) => AttuneError,
): Promise<AttuneError> {
  const [commit, ...others] = (await readdir(join(cache.folder, 'snapshots')).catch(() => [])).filter(isCommit)
  if (commit === undefined) return offlineError('it was never downloaded')
  return offlineError(
    `refs/${revision}, which names the commit of the revision, is missing; the cache has ${others.length + 1} snapshot${others.length > 0 ? 's' : ''}`,
    `Name the commit: ${name}@${commit}`,
  )
}

/** Same as {@link findCached}, with errors for internal use. */
export async function findInCache(
  reference: string,
  settings: HubSettings,
  extra: readonly string[],
): Promise<CachedModel> {
  const { name, revision } = parseModelName(reference)
  const cache = modelCache(settings.cache, name)
  const offlineError = (why: string, remedy?: string): AttuneError =>
    new AttuneError(
      'HUB_OFFLINE',
      `${name} at ${revision} is not completely in the cache ${settings.cache}: ${why}`,
      remedy ?? `Download it while the Hub is reachable: HF_HUB_OFFLINE=0 npx attune download ${reference}`,
    )
  const commit = isCommit(revision) ? revision : await readRef(cache, revision)
  if (commit === undefined) throw await withoutRef(cache, name, revision, offlineError)
  const missing = await missingFile(cache, name, commit, extra)
  if (missing !== undefined) throw offlineError(`${printable(missing)} is missing`)
  return { commit, folder: snapshotFolder(cache, commit) }
}

/**
 * Finds a model in the cache, without any request.
 * @throws AttuneError `HUB_OFFLINE` if it is missing or incomplete; `CANNOT_WRITE` if the cache cannot be read
 */
export const findCached = (
  reference: string,
  settings: HubSettings,
  extra: readonly string[] = [],
): Promise<CachedModel> =>
  findInCache(reference, settings, extra).catch(async (error: unknown) => {
    throw outgoingError(error, settings)
  })
