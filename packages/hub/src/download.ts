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
import { checkFileNames } from './written-names.js'

/** Options of {@link download}. */
export interface DownloadOptions extends HubOptions {
  /** Paths of files to download in addition to those that the model needs. */
  readonly files?: readonly string[]
}

const FILES_AT_ONCE = 4
/** Size of the blocks that `lstat` counts. */
const BLOCK_BYTES = 512

/** A download in progress. */
interface Download {
  readonly cache: ModelCache
  readonly name: ModelName
  readonly commit: string
  readonly progress: Progress
  readonly connection: Connection
}

/**
 * Path of a partial file. Differs from the name of the Python library, whose older versions append to it under a lock
 * that Node lacks.
 */
const incompletePath = (cache: ModelCache, file: RepositoryFile): string => `${blobPath(cache, file)}.attune.incomplete`

/** Bytes that remain to be written for some files. Of partial files, only allocated blocks count as written. */
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

/** Creates the cache folders and checks that the files fit on the disk. */
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
    `expected ${bytes} bytes of free disk space for ${folder}, got ${bavail * bsize}`,
    'Free disk space, or choose another folder: HF_HUB_CACHE=FOLDER.',
  )
}

/** Fetches a missing blob; if another process is fetching it, waits for it. */
async function fetchFile(file: RepositoryFile, { cache, name, commit, progress, connection }: Download): Promise<void> {
  const target = blobPath(cache, file)
  await makeCacheFolder(cache.root, dirname(target))
  const { endpoint } = connection.settings
  const path = file.path.split('/').map(encodeURIComponent).join('/')
  const fetchMissing = async (): Promise<void> => {
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
  await withLock(join(cache.locks, `${blobName(file)}.attune.lock`), fetchMissing, {
    signal: connection.signal,
    onWait: () => connection.emit({ type: 'lock.awaited', path: file.path }),
  })
}

async function fetchAndLink(file: RepositoryFile, download: Download): Promise<void> {
  const { cache, commit, progress, connection } = download
  const cached = await hasBlob(cache, file)
  if (!cached) await fetchFile(file, download)
  await linkBlob(cache, commit, file)
  progress.set(file.path, file.bytes)
  connection.emit({ type: 'file.completed', path: file.path, bytes: file.bytes, cached })
}

/** Processes items concurrently. The first error ends it. */
async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const work = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item)
  }
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, work))
}

/** File list of a commit. It is immutable, so a cached list is used. */
async function treeOf(cache: ModelCache, name: string, commit: string, connection: Connection) {
  const kept = await readTree(cache, commit)
  if (kept !== undefined) return kept
  const tree = await listRepository(name, commit, connection)
  await writeTree(cache, commit, tree).catch(unlessReadOnly)
  return tree
}

async function fetchModel(name: ModelName, extra: readonly string[], connection: Connection): Promise<CachedModel> {
  const { settings, emit } = connection
  const cache = modelCache(settings.cache, name.name)
  const commit = isCommit(name.revision) ? name.revision : await resolveCommit(name.name, name.revision, connection)
  const tree = await treeOf(cache, name.name, commit, connection)
  const paths = tree.map(({ path }) => path)
  const wanted = new Set(neededFiles(name.name, paths, extra))
  const files = tree.filter(({ path }) => wanted.has(path))
  checkFileNames(name.name, files)
  const here = await Promise.all(files.map((file) => isCached(cache, commit, file)))
  const bytesOf = (some: readonly RepositoryFile[]): number => some.reduce((sum, { bytes }) => sum + bytes, 0)
  const [bytes, bytesCached] = [bytesOf(files), bytesOf(files.filter((_, i) => here[i]))]
  emit({ type: 'download.started', ...name, commit, files: files.length, bytes, bytesCached })
  files
    .filter((_, i) => here[i])
    .forEach((file) => emit({ type: 'file.completed', path: file.path, bytes: file.bytes, cached: true }))
  const missing = files.filter((_, i) => here[i] !== true)
  if (missing.length > 0) await prepare(cache, missing)
  const progress = trackProgress(bytes, bytesCached, emit)
  await inParallel(missing, (file) => fetchAndLink(file, { cache, name, commit, progress, connection }))
  progress.finish()
  // Written last, unlike in the Python library: the old revision remains usable offline until the new one is complete.
  await writeRef(cache, name.revision, commit).catch(unlessReadOnly)
  return { commit, folder: snapshotFolder(cache, commit) }
}

/** Falls back to the cached model if the Hub is unreachable. @throws the original error if there is none */
async function fallBackToCache(reference: string, extra: readonly string[], connection: Connection, error: unknown) {
  if (!isAttuneError(error) || error.code !== 'HUB_UNREACHABLE') throw error
  const cached = await findInCache(reference, connection.settings, extra).catch(() => undefined)
  if (cached === undefined) throw error
  connection.emit({
    type: 'hub.warned',
    message: `${error.problem}; using the cached model, commit ${cached.commit}, which may not be the newest`,
  })
  return cached
}

/** Same as {@link download}, with timing that tests replace. */
export function downloadWith(
  reference: string,
  options: DownloadOptions,
  timing?: Partial<Timing>,
): Observable<HubEvent> {
  const work = async (connection: Connection): Promise<void> => {
    const began = Date.now()
    const name = parseModelName(reference)
    const { settings, emit } = connection
    const extra = options.files ?? []
    const end = new AbortController()
    const bounded = { ...connection, signal: AbortSignal.any([connection.signal, end.signal]) }
    const model = settings.offline
      ? await findInCache(reference, settings, extra)
      : await fetchModel(name, extra, bounded).catch((error: unknown) => {
          end.abort(error) // aborts concurrent requests
          return fallBackToCache(reference, extra, connection, error)
        })
    emit({ type: 'download.completed', ...model, seconds: (Date.now() - began) / 1000 })
  }
  return observe(options, work, timing)
}

/**
 * Downloads a model into the cache that the Python library shares, and verifies every file. The Observable is cold;
 * unsubscribing stops the download, and partial files are resumed next time. Only files that a model needs are
 * downloaded, and never a pickle. Cached files are not requested again; a completely cached commit needs no request
 * at all.
 * @param reference `organization/name` or `organization/name@revision`
 * @throws AttuneError (through the Observable) `BAD_MODEL_NAME`, `BAD_REPOSITORY_PATH`, `BAD_ENDPOINT`,
 * `BAD_HUB_TOKEN`, `HUB_NOT_FOUND`, `HUB_FORBIDDEN`, `HUB_UNREACHABLE`, `HUB_OFFLINE`, `HUB_BAD_ANSWER`,
 * `HUB_BAD_FILE`, `PICKLED_WEIGHTS`, `NO_WEIGHTS_FILE`, `CANNOT_WRITE`
 *
 * @example
 * ```ts no-run
 * import { download } from '@attune/hub'
 * download('google-bert/bert-base-uncased@main').subscribe((event) => {
 *   if (event.type === 'download.progressed') console.log(event.bytesHere, 'of', event.bytes)
 *   if (event.type === 'download.completed') console.log(event.folder)
 * })
 * ```
 */
export const download = (reference: string, options: DownloadOptions = {}): Observable<HubEvent> =>
  downloadWith(reference, options)

/**
 * Resolves a model to a folder: a local folder if it exists, otherwise a model of the Hub, which is downloaded unless
 * cached.
 * @param onEvent called with each event of the download
 * @throws AttuneError `FILE_NOT_FOUND` if the reference is neither a folder nor a valid model id, and those of {@link
 * download}
 *
 * @example
 * ```ts no-run
 * import { modelFolder } from '@attune/hub'
 * const folder = await modelFolder('google-bert/bert-base-uncased', {}, ({ type }) => console.log(type))
 * console.log(folder)
 * ```
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
      `expected an existing folder or a model id organization/name, got ${reference}`,
      'Check the path, or pass organization/name@revision.',
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
    throw new AttuneError('HUB_NOT_FOUND', `the folder ${reference} does not exist, and ${error.problem}`, error.remedy)
  })
  return folder
}
