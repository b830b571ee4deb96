import { randomUUID } from 'node:crypto'
import { copyFile, lstat, readlink, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { AttuneError } from '@attune/core'
import { makeFolder } from '@attune/files'
import { absent } from './absent.js'
import type { RepositoryFile } from './listing.js'
import { isCommit } from './model-name.js'
import { isInside, readCached, sizeWithin } from './read-cached.js'

/**
 * Folder of a model in the shared cache, in the layout of Python's `huggingface_hub`:
 *
 *     blobs/<digest>                 contents, each once
 *     snapshots/<commit>/<path>      links to blobs
 *     refs/<revision>                the last known commit of a branch or tag
 *     trees/<commit>.json            file list of a commit
 */
export interface ModelCache {
  /** Root folder of the cache. */
  readonly root: string
  readonly folder: string
  /** Folder of the locks on the model's files. */
  readonly locks: string
}

const MAXIMUM_REF_BYTES = 1024
const TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag. For information see https://bford.info/cachedir/
`

/**
 * Folder of a model in a cache. `--` stands for `/` and is not allowed in names, so that models do not share folders.
 */
export function modelCache(root: string, name: string): ModelCache {
  const folder = ['models', ...name.split('/')].join('--')
  return { root, folder: join(root, folder), locks: join(root, '.locks', folder) }
}

/** Name of a file's blob in the cache, which is its ETag on the Hub. */
export const blobName = (file: RepositoryFile): string => file.sha256 ?? file.blobId

export const blobPath = ({ folder }: ModelCache, file: RepositoryFile): string => join(folder, 'blobs', blobName(file))
export const snapshotFolder = ({ folder }: ModelCache, commit: string): string => join(folder, 'snapshots', commit)

/** Ignores the error of a read-only cache, for metadata that is optional. */
export const unlessReadOnly = (error: unknown): undefined => {
  if (['EACCES', 'EPERM', 'EROFS'].includes(String((error as NodeJS.ErrnoException).code))) return undefined
  throw error
}

/** Returns the path itself, or its nearest existing parent folder. */
async function lowestExisting(path: string): Promise<string> {
  const above = dirname(path)
  return above === path || (await lstat(path).catch(absent)) !== undefined ? path : lowestExisting(above)
}

/**
 * Creates a folder of the cache. Rejects links out of the cache, through which files of others would be overwritten.
 * @throws AttuneError `CANNOT_WRITE` if an existing parent is such a link
 */
export async function makeCacheFolder(root: string, folder: string): Promise<void> {
  makeFolder(root)
  const existing = await lowestExisting(folder)
  const [real, base] = await Promise.all([realpath(existing), realpath(root)])
  if (real !== base && !isInside(real, base))
    throw new AttuneError(
      'CANNOT_WRITE',
      `${existing} is a link out of the cache ${root}`,
      'Remove the link, or set HF_HUB_CACHE to its target folder.',
    )
  makeFolder(folder)
}

/** Writes a small file atomically. The temporary name is short regardless of the file's name. */
export async function replaceFile(cache: ModelCache, path: string, text: string): Promise<void> {
  await makeCacheFolder(cache.root, dirname(path))
  const temporary = join(cache.folder, `.${randomUUID()}.tmp`)
  try {
    await writeFile(temporary, text, { flag: 'wx' })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** True if a file of a commit is completely cached. */
export const isCached = async (cache: ModelCache, commit: string, file: RepositoryFile): Promise<boolean> =>
  (await sizeWithin(cache.root, join(snapshotFolder(cache, commit), file.path))) === file.bytes

/** Writes the tag that marks the cache for backup programs (https://bford.info/cachedir/), once. */
export async function tagCache(root: string): Promise<void> {
  makeFolder(root)
  await writeFile(join(root, 'CACHEDIR.TAG'), TAG, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** Commit of a branch or tag at the last request. */
export async function readRef({ root, folder }: ModelCache, revision: string): Promise<string | undefined> {
  const commit = (await readCached(root, join(folder, 'refs', ...revision.split('/')), MAXIMUM_REF_BYTES))?.trim()
  return commit !== undefined && isCommit(commit) ? commit : undefined
}

export async function writeRef(cache: ModelCache, revision: string, commit: string): Promise<void> {
  if (revision === commit || (await readRef(cache, revision)) === commit) return
  await replaceFile(cache, join(cache.folder, 'refs', ...revision.split('/')), commit)
}

/** Links a commit's file to its blob; copies it if the system does not support links. */
export async function linkBlob(cache: ModelCache, commit: string, file: RepositoryFile): Promise<void> {
  const [blob, pointer] = [blobPath(cache, file), join(snapshotFolder(cache, commit), file.path)]
  await makeCacheFolder(cache.root, dirname(pointer))
  const target = relative(dirname(pointer), blob)
  if ((await readlink(pointer).catch(() => undefined)) === target) return
  await rm(pointer, { force: true })
  try {
    await symlink(target, pointer)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await readlink(pointer)) === target) return // another process was faster
    if (code !== 'EPERM' && code !== 'ENOSYS') throw error
    await copyFile(blob, pointer)
  }
}

/** True if a blob is complete. Deletes one of another size, which a full disk or an interrupted program left. */
export async function hasBlob(cache: ModelCache, file: RepositoryFile): Promise<boolean> {
  const path = blobPath(cache, file)
  if ((await lstat(path).catch(absent)) === undefined) return false
  if ((await sizeWithin(cache.root, path)) === file.bytes) return true
  await rm(path, { force: true })
  return false
}
