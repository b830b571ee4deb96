import { existsSync } from 'node:fs'
import { lstat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AttuneError, isAttuneError } from '@attune/core'
import { withLock } from '@attune/files'
import type { Observable } from 'rxjs'
import { absent } from './absent.js'
import { type CachedModel, findInCache } from './cached-model.js'
import {
  type ModelCache,
  blobName,
  blobPath,
  hasBlob,
  isCached,
  linkBlob,
  makeCacheFolder,
  modelCache,
  snapshotFolder,
  tagCache,
  unlessReadOnly,
  writeRef,
} from './cache.js'
import { readTree, writeTree } from './cached-tree.js'
import type { Connection, Timing } from './connection.js'
import type { HubEvent } from './events.js'
import { fetchBlob } from './fetch-blob.js'
import { type RepositoryFile, listRepository, resolveCommit } from './listing.js'
import { type ModelName, isCommit, parseModelName } from './model-name.js'
import { neededFiles } from './needed-files.js'
import { observe } from './observe.js'
import { type Progress, trackProgress } from './progress.js'
import { sizeWithin } from './read-cached.js'
import type { HubOptions } from './settings.js'
import { checkWritten } from './written-names.js'

/** What to download, besides what a model needs. */
export interface DownloadOptions extends HubOptions {
  /** Paths of further files of the repository. */
  readonly files?: readonly string[]
}

const FILES_AT_ONCE = 4
/** Unit of the blocks that `lstat` counts. */
const BLOCK_BYTES = 512

/** What has to be known of a download in progress. */
interface Download {
  readonly cache: ModelCache
  readonly name: ModelName
  readonly commit: string
  readonly progress: Progress
  readonly connection: Connection
}

/** Path of an incomplete file. Not the name of the Python library, whose older versions append under a lock that Node lacks. */
const incompletePath = (cache: ModelCache, file: RepositoryFile): string => `${blobPath(cache, file)}.attune.incomplete`

/** Bytes that must still be written for some files. Of incomplete files, only allocated blocks count as written. */
async function bytesToWrite(cache: ModelCache, files: readonly RepositoryFile[]): Promise<number> {
  let bytes = 0
  for (const file of new Map(files.map((each) => [blobName(each), each])).values()) {
    if ((await sizeWithin(cache.root, blobPath(cache, file))) === file.bytes) continue
    const found = await lstat(incompletePath(cache, file)).catch(absent)
    const here = found?.isFile() === true ? Math.min(found.size, (found.blocks ?? 0) * BLOCK_BYTES) : 0
    bytes += here > file.bytes ? file.bytes : file.bytes - here
  }
  return bytes
}

/** Makes the folders that files come into, and sees whether these fit. */
async function prepare(cache: ModelCache, files: readonly RepositoryFile[]): Promise<void> {
  const { root, folder } = cache
  await tagCache(root)
  await makeCacheFolder(root, join(folder, 'blobs'))
  await makeCacheFolder(root, cache.locks)
  const bytes = await bytesToWrite(cache, files)
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= bytes) return
  throw new AttuneError(
    'CANNOT_WRITE',
    `${bytes} bytes are to come, and the disk of ${folder} has room for ${bavail * bsize}`,
    'Make room, or choose another folder: HF_HUB_CACHE=FOLDER.',
  )
}

/** Fetches a content that is not there, unless another process does: then it waits. */
async function fetchFile(file: RepositoryFile, { cache, name, commit, progress, connection }: Download): Promise<void> {
  const target = blobPath(cache, file)
  await makeCacheFolder(cache.root, dirname(target))
  const { endpoint } = connection.settings
  const path = file.path.split('/').map(encodeURIComponent).join('/')
  const fetchIt = async (): Promise<void> => {
    if (await hasBlob(cache, file)) return
    const job = {
      url: new URL(`${endpoint}/${name.name}/resolve/${commit}/${path}`),
      path: file.path,
      bytes: file.bytes,
      digest:
        file.sha256 === undefined
          ? ({ algorithm: 'git-sha1', value: file.blobId } as const)
          : ({ algorithm: 'sha256', value: file.sha256 } as const),
      incomplete: incompletePath(cache, file),
      target,
      onBytes: (bytesHere: number) => progress.set(file.path, bytesHere),
    }
    await fetchBlob(job, connection)
  }
  await withLock(join(cache.locks, `${blobName(file)}.attune.lock`), fetchIt, {
    signal: connection.signal,
    onWait: () => connection.tell({ type: 'lock.awaited', path: file.path }),
  })
}

async function bring(file: RepositoryFile, download: Download): Promise<void> {
  const { cache, commit, progress, connection } = download
  const cached = await hasBlob(cache, file)
  if (!cached) await fetchFile(file, download)
  await linkBlob(cache, commit, file)
  progress.set(file.path, file.bytes)
  connection.tell({ type: 'file.completed', path: file.path, bytes: file.bytes, cached })
}

/** Does something with each of a list, some at once. The first error ends it. */
async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const work = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item)
  }
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, work))
}

/** The list of a commit's files. It never changes, so the one that was kept will do. */
async function treeOf(cache: ModelCache, name: string, commit: string, connection: Connection) {
  const kept = await readTree(cache, commit)
  if (kept !== undefined) return kept
  const tree = await listRepository(name, commit, connection)
  await writeTree(cache, commit, tree).catch(unlessReadOnly)
  return tree
}

async function fetchModel(name: ModelName, extra: readonly string[], connection: Connection): Promise<CachedModel> {
  const { settings, tell } = connection
  const cache = modelCache(settings.cache, name.name)
  const commit = isCommit(name.revision) ? name.revision : await resolveCommit(name.name, name.revision, connection)
  const tree = await treeOf(cache, name.name, commit, connection)
  const paths = tree.map(({ path }) => path)
  const wanted = new Set(neededFiles(name.name, paths, extra))
  const files = tree.filter(({ path }) => wanted.has(path))
  checkWritten(name.name, files)
  const here = await Promise.all(files.map((file) => isCached(cache, commit, file)))
  const bytesOf = (some: readonly RepositoryFile[]): number => some.reduce((sum, { bytes }) => sum + bytes, 0)
  const [bytes, bytesCached] = [bytesOf(files), bytesOf(files.filter((_, i) => here[i]))]
  tell({ type: 'download.started', ...name, commit, files: files.length, bytes, bytesCached })
  files
    .filter((_, i) => here[i])
    .forEach((file) => tell({ type: 'file.completed', path: file.path, bytes: file.bytes, cached: true }))
  const missing = files.filter((_, i) => here[i] !== true)
  if (missing.length > 0) await prepare(cache, missing)
  const progress = trackProgress(bytes, bytesCached, tell)
  await inParallel(missing, (file) => bring(file, { cache, name, commit, progress, connection }))
  progress.finish()
  // Last, unlike the Python library: until all is here, the revision stays what it was, and works offline.
  await writeRef(cache, name.revision, commit).catch(unlessReadOnly)
  return { commit, folder: snapshotFolder(cache, commit) }
}

/** What is in the cache, when the Hub cannot be reached and it will do. @throws the error that says why not the Hub */
async function fallBack(reference: string, extra: readonly string[], connection: Connection, error: unknown) {
  if (!isAttuneError(error) || error.code !== 'HUB_UNREACHABLE') throw error
  const cached = await findInCache(reference, connection.settings, extra).catch(() => undefined)
  if (cached === undefined) throw error
  connection.tell({
    type: 'hub.warned',
    message: `${error.problem}; the model of the cache is used, commit ${cached.commit}, which may not be the newest`,
  })
  return cached
}

/** As {@link download}, and told how to wait: tests do not. */
export function downloadPausing(
  reference: string,
  options: DownloadOptions,
  timing?: Partial<Timing>,
): Observable<HubEvent> {
  const work = async (connection: Connection): Promise<void> => {
    const began = Date.now()
    const name = parseModelName(reference)
    const { settings, tell } = connection
    const extra = options.files ?? []
    const end = new AbortController()
    const bounded = { ...connection, signal: AbortSignal.any([connection.signal, end.signal]) }
    const model = settings.offline
      ? await findInCache(reference, settings, extra)
      : await fetchModel(name, extra, bounded).catch((error: unknown) => {
          end.abort(error) // what else is under way at the moment
          return fallBack(reference, extra, connection, error)
        })
    tell({ type: 'download.completed', ...model, seconds: (Date.now() - began) / 1000 })
  }
  return observe(options, work, timing)
}

/**
 * Downloads a model of the Hub into the cache that the Python library shares, and verifies every file. The Observable is
 * cold; unsubscribing stops, and what came is kept and gone on with next time. Only what a model needs is downloaded, and
 * never a pickle. What is in the cache is not asked for again; a commit that is there whole needs no request at all.
 * @param reference `organization/name` or `organization/name@revision`
 * @throws AttuneError (through the Observable) `BAD_MODEL_NAME`, `BAD_REPOSITORY_PATH`, `BAD_ENDPOINT`, `BAD_HUB_TOKEN`, `HUB_NOT_FOUND`,
 *   `HUB_FORBIDDEN`, `HUB_UNREACHABLE`, `HUB_OFFLINE`, `HUB_BAD_ANSWER`, `HUB_BAD_FILE`, `PICKLED_WEIGHTS`, `NO_WEIGHTS_FILE`,
 *   `CANNOT_WRITE`
 */
export const download = (reference: string, options: DownloadOptions = {}): Observable<HubEvent> =>
  downloadPausing(reference, options)

/**
 * The folder of a model: a local folder, if there is one of that name, else a model of the Hub, which is downloaded if it is
 * not in the cache.
 * @param onEvent told what happens meanwhile
 * @throws AttuneError `FILE_NOT_FOUND` for what is neither a folder nor could be a name, and those of {@link download}
 */
export async function modelFolder(
  reference: string,
  options: DownloadOptions = {},
  onEvent: (event: HubEvent) => void = () => undefined,
): Promise<string> {
  if (existsSync(reference)) return reference
  if (!/^(?![./~])[^/\\]+\/[^/\\]+$/.test(reference))
    throw new AttuneError(
      'FILE_NOT_FOUND',
      `there is no folder ${reference}, and it is no name of a model of the Hub`,
      'Check the path, or write organization/name@revision.',
    )
  let folder = ''
  await new Promise<void>((done, failed) => {
    download(reference, options).subscribe({
      next(event) {
        if (event.type === 'download.completed') folder = event.folder
        onEvent(event)
      },
      error: failed,
      complete: done,
    })
  }).catch((error: unknown) => {
    if (!isAttuneError(error) || error.code !== 'HUB_NOT_FOUND') throw error
    throw new AttuneError('HUB_NOT_FOUND', `there is no folder ${reference}, and ${error.problem}`, error.remedy)
  })
  return folder
}
