import { randomUUID } from 'node:crypto'
import {
  copyFile,
  lstat,
  mkdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { AttuneError } from '@attune/core'
import { z } from 'zod'
import type { RepositoryFile } from './listing.js'
import { checkedPath, isCommit } from './model-name.js'

/**
 * The folder of a model in the shared cache, in the layout of Python's `huggingface_hub`:
 *
 *     blobs/<digest>                 contents, each once
 *     snapshots/<commit>/<path>      links to them
 *     refs/<revision>                the commit that a branch or tag was last
 *     trees/<commit>.json            the list of files of a commit
 */
export interface ModelCache {
  /** The cache of all models. */
  readonly root: string
  readonly folder: string
  /** Where locks on the model's files lie. */
  readonly locks: string
}

const TREE_FORMAT = 1
const MAXIMUM_TREE_BYTES = 64 * 1024 * 1024
const TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag. For information see https://bford.info/cachedir/
`

/** Where a model lies in a cache. `--` stands for `/` and is in no name, so that no two models share a folder. */
export function modelCache(root: string, name: string): ModelCache {
  const folder = ['models', ...name.split('/')].join('--')
  return { root, folder: join(root, folder), locks: join(root, '.locks', folder) }
}

/** The name of a file's content in the cache, which is the ETag that the Hub gives it. */
export const blobName = (file: RepositoryFile): string => file.sha256 ?? file.blobId

export const blobPath = ({ folder }: ModelCache, file: RepositoryFile): string => join(folder, 'blobs', blobName(file))
export const snapshotFolder = ({ folder }: ModelCache, commit: string): string => join(folder, 'snapshots', commit)

/** An error of the file system when a file is not there, or something on the way to it is no folder. */
const isAbsence = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(String((error as NodeJS.ErrnoException).code))

const absent = (error: unknown): undefined => {
  if (isAbsence(error)) return undefined
  throw error
}

/** Lets a note go unwritten where the cache may only be read: what is in it serves without. */
export const unlessReadOnly = (error: unknown): undefined => {
  if (['EACCES', 'EPERM', 'EROFS'].includes(String((error as NodeJS.ErrnoException).code))) return undefined
  throw error
}

/** Writes a small file so that no reader sees half of it. */
async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`
  await writeFile(temporary, text)
  await rename(temporary, path)
}

/** The size of a file behind a link, if it lies in the cache. A link that leads out of it is not followed. */
export async function sizeWithin(root: string, path: string): Promise<number | undefined> {
  const [real, base] = await Promise.all([realpath(path).catch(absent), realpath(root).catch(absent)])
  if (real === undefined || base === undefined || !real.startsWith(base + sep)) return undefined
  const found = await stat(real)
  return found.isFile() ? found.size : undefined
}

/** Whether a file of a commit is in the cache, whole. */
export const isCached = async (cache: ModelCache, commit: string, file: RepositoryFile): Promise<boolean> =>
  (await sizeWithin(cache.root, join(snapshotFolder(cache, commit), file.path))) === file.bytes

/** Marks the cache for backup programs (https://bford.info/cachedir/), once. */
export async function tagCache(root: string): Promise<void> {
  await mkdir(root, { recursive: true })
  await writeFile(join(root, 'CACHEDIR.TAG'), TAG, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** The commit that a branch or tag was when it was last asked for. */
export async function readRef({ folder }: ModelCache, revision: string): Promise<string | undefined> {
  const commit = (
    await readFile(join(folder, 'refs', ...revision.split('/')), 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'EISDIR') return undefined
      return absent(error)
    })
  )?.trim()
  return commit !== undefined && isCommit(commit) ? commit : undefined
}

export async function writeRef(cache: ModelCache, revision: string, commit: string): Promise<void> {
  if (revision === commit || (await readRef(cache, revision)) === commit) return
  await replaceFile(join(cache.folder, 'refs', ...revision.split('/')), commit)
}

const treeSchema = z.object({
  format_version: z.literal(TREE_FORMAT),
  files: z.record(
    z.string(),
    z.object({
      size: z.int().min(0),
      blob_id: z.string().regex(/^[0-9a-f]{40}$/),
      lfs_sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullish(),
      lfs_size: z.int().min(0).nullish(),
      xet_hash: z.string().nullish(),
    }),
  ),
})

/** The list of a commit's files as it was kept, or nothing where there is none that can be used. */
export async function readTree({ folder }: ModelCache, commit: string): Promise<readonly RepositoryFile[] | undefined> {
  const path = join(folder, 'trees', `${commit}.json`)
  const found = await stat(path).catch(absent)
  if (found === undefined || found.size > MAXIMUM_TREE_BYTES) return undefined
  const text = await readFile(path, 'utf8')
  try {
    const { files } = treeSchema.parse(JSON.parse(text))
    return Object.entries(files).map(([name, { size, blob_id, lfs_sha256, lfs_size, xet_hash }]) => ({
      path: checkedPath(name, path),
      bytes: lfs_size ?? size,
      blobId: blob_id,
      ...(lfs_sha256 == null ? {} : { sha256: lfs_sha256 }),
      ...(xet_hash == null ? {} : { xetHash: xet_hash }),
    }))
  } catch {
    return undefined // of another format or damaged: the Hub is asked again
  }
}

export async function writeTree(
  { folder }: ModelCache,
  commit: string,
  files: readonly RepositoryFile[],
): Promise<void> {
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
    join(folder, 'trees', `${commit}.json`),
    JSON.stringify({ format_version: TREE_FORMAT, files: sorted }, null, 1),
  )
}

/** Makes the link from a commit's file to its content; a copy where the system has no links. */
export async function linkBlob(cache: ModelCache, commit: string, file: RepositoryFile): Promise<void> {
  const [blob, pointer] = [blobPath(cache, file), join(snapshotFolder(cache, commit), file.path)]
  await mkdir(dirname(pointer), { recursive: true })
  const target = relative(dirname(pointer), blob)
  if ((await readlink(pointer).catch(() => undefined)) === target) return
  await rm(pointer, { force: true })
  try {
    await symlink(target, pointer)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await readlink(pointer)) === target) return // another process was quicker
    if (code !== 'EPERM' && code !== 'ENOSYS') throw error
    await copyFile(blob, pointer)
  }
}

/** Whether a content is there, whole. One of another size is removed: a disk was full, or a program broke off. */
export async function hasBlob(cache: ModelCache, file: RepositoryFile): Promise<boolean> {
  const path = blobPath(cache, file)
  if ((await lstat(path).catch(absent)) === undefined) return false
  if ((await sizeWithin(cache.root, path)) === file.bytes) return true
  await rm(path, { force: true })
  return false
}

/** The error of a disk, as one that a user can mend. */
export const cannotCache = (folder: string, cause: NodeJS.ErrnoException): AttuneError =>
  new AttuneError(
    'CANNOT_WRITE',
    `the cache ${folder} cannot be written: ${cause.code === 'ENOSPC' ? 'the disk is full' : cause.message}`,
    'Make room, or choose another folder: HF_HUB_CACHE=FOLDER. What came already is kept.',
    { cause },
  )
