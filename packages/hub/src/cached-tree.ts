import { join } from 'node:path'
import { isRecord } from '@attune/core'
import { z } from 'zod'
import { parseBounded } from './bounded-json.js'
import { type ModelCache, replaceFile } from './cache.js'
import { HUB_LIMITS } from './limits.js'
import type { RepositoryFile } from './listing.js'
import { checkedPath } from './model-name.js'
import { readCached } from './read-cached.js'

const TREE_FORMAT = 1

const entrySchema = z.object({
  size: z.int().min(0),
  blob_id: z.string().regex(/^[0-9a-f]{40}$/),
  lfs_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullish(),
  lfs_size: z.int().min(0).nullish(),
  xet_hash: z.string().nullish(),
})

function fileOf(name: string, entry: unknown, tree: string): RepositoryFile {
  const { size, blob_id, lfs_sha256, lfs_size, xet_hash } = entrySchema.parse(entry)
  return {
    path: checkedPath(name, tree),
    bytes: lfs_size ?? size,
    blobId: blob_id,
    ...(lfs_sha256 == null ? {} : { sha256: lfs_sha256 }),
    ...(xet_hash == null ? {} : { xetHash: xet_hash }),
  }
}

const pathOf = ({ folder }: ModelCache, commit: string): string => join(folder, 'trees', `${commit}.json`)

/** Reads the cached file list of a commit; undefined if there is no valid one. */
export async function readTree(cache: ModelCache, commit: string): Promise<readonly RepositoryFile[] | undefined> {
  const path = pathOf(cache, commit)
  const text = await readCached(cache.root, path, HUB_LIMITS.cachedBytes)
  if (text === undefined) return undefined
  try {
    const tree = parseBounded(text)
    if (!isRecord(tree) || tree['format_version'] !== TREE_FORMAT || !isRecord(tree['files'])) return undefined
    // Parsed entry by entry, to stop at the first malformed one instead of reporting a million of them.
    return Object.entries(tree['files']).map(([name, entry]) => fileOf(name, entry, path))
  } catch {
    return undefined // another format or damaged: the list is requested again
  }
}

/** Caches the file list of a commit, in the format of the Python library. */
export async function writeTree(cache: ModelCache, commit: string, files: readonly RepositoryFile[]): Promise<void> {
  const entries = files.map(({ path, bytes, blobId, sha256, xetHash }): [string, object] => [
    path,
    {
      size: bytes,
      blob_id: blobId,
      ...(sha256 === undefined ? {} : { lfs_sha256: sha256, lfs_size: bytes }),
      ...(xetHash === undefined ? {} : { xet_hash: xetHash }),
    },
  ])
  const sorted = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
  await replaceFile(
    cache,
    pathOf(cache, commit),
    JSON.stringify({ format_version: TREE_FORMAT, files: sorted }, null, 1),
  )
}
