import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AttuneError, isAttuneError } from '@attune/core'
import { commitIter, createRepo } from '@huggingface/hub'
import type { Observable } from 'rxjs'
import { digestOf } from './digests.js'
import type { Connection, Timing } from './connection.js'
import type { HubEvent } from './events.js'
import { type RepositoryFile, listRepository, resolveCommit } from './listing.js'
import { type LocalFile, localFiles } from './local-files.js'
import { isCommit, parseModelName, printable } from './model-name.js'
import { observe } from './observe.js'
import { fetchFor, convertErrors } from './requests.js'
import type { HubOptions } from './settings.js'
import { checkUploadAnswers } from './upload-answers.js'

/** Options of {@link upload}. */
export interface UploadOptions extends HubOptions {
  /** True to create a public repository. Default: private. */
  readonly public?: boolean
  /** Commit whose files may be replaced, which must be the current one. By default, no file is replaced. */
  readonly over?: string
  /** Message of the commit. */
  readonly message?: string
}

const EVERY_MILLISECONDS = 250
/** One to send the file, and some for retries. */
const REQUESTS_PER_FILE = 4

/** Changes of an upload. */
interface Changes {
  readonly added: readonly LocalFile[]
  readonly replaced: readonly LocalFile[]
  readonly unchanged: readonly LocalFile[]
}

/** Current commit of the branch; creates the repository if it is missing. */
async function findOrCreateRepository(name: string, branch: string, options: UploadOptions, connection: Connection) {
  const missing = (error: unknown): undefined => {
    if (isAttuneError(error) && error.code === 'HUB_NOT_FOUND' && branch === 'main') return undefined
    throw error
  }
  const found = await resolveCommit(name, branch, connection).catch(missing)
  if (found !== undefined) return { parent: found, created: false }
  const made = createRepo({
    repo: { type: 'model', name },
    visibility: options.public === true ? 'public' : 'private',
    hubUrl: connection.settings.endpoint,
    accessToken: 'hf_', // required by its type; the token itself is added when the request is sent
    fetch: fetchFor('endpoint', connection),
  })
  await convertErrors(made, name, connection)
  return { parent: await resolveCommit(name, branch, connection), created: true }
}

async function isSame(local: LocalFile, remote: RepositoryFile): Promise<boolean> {
  if (local.bytes !== remote.bytes) return false
  if (remote.sha256 !== undefined) return (await digestOf(local.file, local.bytes, 'sha256')) === remote.sha256
  return (await digestOf(local.file, local.bytes, 'git-sha1')) === remote.blobId
}

async function compare(files: readonly LocalFile[], there: readonly RepositoryFile[]): Promise<Changes> {
  const remote = new Map(there.map((file) => [file.path, file]))
  const changes = { added: [] as LocalFile[], replaced: [] as LocalFile[], unchanged: [] as LocalFile[] }
  for (const file of files) {
    const same = remote.get(file.path)
    if (same === undefined) changes.added.push(file)
    else if (await isSame(file, same)) changes.unchanged.push(file)
    else changes.replaced.push(file)
  }
  return changes
}

/** Rejects the replacement of files without the option `over`. */
function checkReplaced({ replaced }: Changes, parent: string, over: string | undefined, name: string): void {
  if (over !== undefined && over !== parent)
    throw new AttuneError(
      'HUB_CONFLICT',
      `expected ${name} at commit ${printable(over)}, got ${parent}`,
      'Review the changes, and pass the current commit to --over.',
    )
  if (replaced.length === 0 || over !== undefined) return
  const paths = replaced.map(({ path }) => path)
  throw new AttuneError(
    'HUB_WOULD_OVERWRITE',
    `${name} has different files with these names, which would be replaced: ${printable(paths.join(', '), 1000)}`,
    `To replace them, pass the current commit: --over ${parent}`,
  )
}

/** A commit to create. */
interface NewCommit {
  readonly name: string
  readonly branch: string
  readonly parent: string
  readonly files: readonly LocalFile[]
  readonly message: string
}

const commitSteps = ({ name, branch, parent, files, message }: NewCommit, connection: Connection) =>
  commitIter({
    repo: { type: 'model', name },
    branch,
    parentCommit: parent,
    title: message,
    operations: files.map(({ path, file }) => ({ operation: 'addOrUpdate', path, content: pathToFileURL(file) })),
    hubUrl: connection.settings.endpoint,
    fetch: fetchFor('anywhere', connection, checkUploadAnswers(files)), // large files are sent to a store at another origin
    // Plain HTTP, which the Hub also accepts: Xet saves only what two versions of a file share, which is next to nothing for
    // trained weights, and would send its tokens to any URL in a response.
    useXet: false,
    abortSignal: connection.signal,
  })

/** Sends the files and creates the commit. Resolves to its hash. */
async function makeCommit(commit: NewCommit, connection: Connection): Promise<string> {
  const steps = commitSteps(commit, connection)
  const next = () => convertErrors(steps.next(), commit.name, connection)
  let emittedAt = -Infinity
  let step = await next()
  for (; step.done !== true; step = await next()) {
    if (step.value.event !== 'fileProgress') continue
    const { path, progress, state } = step.value
    if (progress < 1 && Date.now() - emittedAt < EVERY_MILLISECONDS) continue
    emittedAt = Date.now()
    const doing = state === 'hashing' ? 'hashing' : 'sending'
    connection.emit({ type: 'upload.progressed', path, doing, share: progress })
  }
  const made: unknown = step.value?.commit.oid
  if (typeof made === 'string' && isCommit(made)) return made
  throw new AttuneError(
    'HUB_BAD_ANSWER',
    `${commit.name}: the Hub did not return the hash of the new commit`,
    'Check on the page of the model whether the files were uploaded.',
  )
}

function checkAllowed({ settings }: Connection): void {
  if (settings.offline)
    throw new AttuneError('HUB_OFFLINE', 'a model cannot be uploaded in offline mode', 'Unset HF_HUB_OFFLINE.')
  if (settings.token() === undefined)
    throw new AttuneError(
      'HUB_FORBIDDEN',
      'an upload requires a token with write access, which is missing',
      'Create one in the settings of your Hub account, and set HF_TOKEN=….',
    )
}

/** Converts the error for a local file that cannot be read. */
const unreadable = (error: unknown): unknown => {
  const { syscall, code, message } = error as NodeJS.ErrnoException
  if (isAttuneError(error) || syscall === undefined || code === undefined) return error
  return new AttuneError(
    'FILE_NOT_READABLE',
    `cannot read a file of the model: ${message}`,
    'Check the file and its permissions, and repeat the command.',
    { cause: error },
  )
}

async function uploadFolder(folder: string, reference: string, options: UploadOptions, connection: Connection) {
  const began = Date.now()
  const { name, revision: branch } = parseModelName(reference)
  const { settings, emit } = connection
  checkAllowed(connection)
  const files = await localFiles(resolve(folder))
  connection.budget.allowRequests(REQUESTS_PER_FILE * files.length)
  const { parent, created } = await findOrCreateRepository(name, branch, options, connection)
  const changes = await compare(files, await listRepository(name, parent, connection))
  if (!created) checkReplaced(changes, parent, options.over, name)
  const sent = [...changes.added, ...changes.replaced]
  const paths = (some: readonly LocalFile[]): string[] => some.map(({ path }) => path)
  emit({
    type: 'upload.started',
    name,
    created,
    added: paths(changes.added),
    replaced: paths(changes.replaced),
    unchanged: paths(changes.unchanged),
    bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0),
  })
  const message = options.message ?? 'Upload a model trained with Attune'
  const made =
    sent.length > 0 ? await makeCommit({ name, branch, parent, files: sent, message }, connection) : undefined
  emit({
    type: 'upload.completed',
    commit: made ?? parent,
    url: `${settings.endpoint}/${name}`,
    changed: made !== undefined,
    seconds: (Date.now() - began) / 1000,
  })
}

/** Same as {@link upload}, with timing that tests replace. */
export const uploadWith = (
  folder: string,
  reference: string,
  options: UploadOptions,
  timing?: Partial<Timing>,
): Observable<HubEvent> =>
  observe(
    options,
    (connection) =>
      uploadFolder(folder, reference, options, connection).catch((error: unknown) => {
        throw unreadable(error)
      }),
    timing,
  )

/**
 * Uploads the folder of a model or an adapter, including its model card, as one commit. A missing repository is
 * created, private by default. Unchanged files are not sent. Different files are replaced only if `over` is their
 * commit, and never after a concurrent commit. Other files of the repository are kept. The Observable is cold;
 * unsubscribing stops the upload, and nothing changes without the commit.
 * @param reference `organization/name`, or `organization/name@branch`
 * @throws AttuneError (through the Observable) `BAD_MODEL_NAME`, `FILE_NOT_FOUND`, `BAD_MODEL_FOLDER`,
 * `PICKLED_WEIGHTS`, `HUB_WOULD_OVERWRITE`, `HUB_CONFLICT`, `HUB_FORBIDDEN`, `HUB_NOT_FOUND` for a missing branch
 * other than main, `HUB_UNREACHABLE`, `HUB_OFFLINE`, `HUB_BAD_ANSWER`
 *
 * @example
 * ```ts no-run
 * import { upload } from '@attune/hub'
 * upload('runs/topics/model', 'my-name/topics').subscribe((event) => {
 *   if (event.type === 'upload.completed') console.log(event.url)
 * })
 * ```
 */
export const upload = (folder: string, reference: string, options: UploadOptions = {}): Observable<HubEvent> =>
  uploadWith(folder, reference, options)
