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
import { fetchFor, understood } from './requests.js'
import type { HubOptions } from './settings.js'
import { checkUploadAnswers } from './upload-answers.js'

/** How a model is uploaded. */
export interface UploadOptions extends HubOptions {
  /** Whether a repository that is made for it can be seen by all. Default: by its owner alone. */
  readonly public?: boolean
  /** The commit whose files may be replaced: the one that the branch is at now. Without it, nothing is replaced. */
  readonly over?: string
  /** What the commit is called. */
  readonly message?: string
}

const EVERY_MILLISECONDS = 250
/** One to send it, and some for retries. */
const REQUESTS_PER_FILE = 4

/** What an upload changes. */
interface Changes {
  readonly added: readonly LocalFile[]
  readonly replaced: readonly LocalFile[]
  readonly unchanged: readonly LocalFile[]
}

/** The branch as it is, made where it is missing. */
async function findOrCreate(name: string, branch: string, options: UploadOptions, connection: Connection) {
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
    accessToken: 'hf_', // asked for by its type; the token itself is added where the request is sent
    fetch: fetchFor('endpoint', connection),
  })
  await understood(made, name, connection)
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

/** Refuses to replace files of which the user may not know. */
function checkReplaced({ replaced }: Changes, parent: string, over: string | undefined, name: string): void {
  if (over !== undefined && over !== parent)
    throw new AttuneError(
      'HUB_CONFLICT',
      `${name} is at commit ${parent} now, and ${printable(over)} was to be replaced`,
      'Look at what changed there, and then name the commit that it is at.',
    )
  if (replaced.length === 0 || over !== undefined) return
  const paths = replaced.map(({ path }) => path)
  throw new AttuneError(
    'HUB_WOULD_OVERWRITE',
    `${name} has other files of these names, and they would be replaced: ${printable(paths.join(', '), 1000)}`,
    `If that is meant, name the commit that is replaced: --over ${parent}`,
  )
}

/** What a commit is made of, as the library takes it. */
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
    fetch: fetchFor('anywhere', connection, checkUploadAnswers(files)), // large files go to a store of another origin
    // By plain HTTP, which the Hub takes as well: what Xet saves is what two versions of a file share, and trained weights
    // share next to nothing; and its tokens would go to whichever address an answer names.
    useXet: false,
    abortSignal: connection.signal,
  })

/** Sends the files and makes the commit. Resolves to its hash. */
async function makeCommit(commit: NewCommit, connection: Connection): Promise<string> {
  const steps = commitSteps(commit, connection)
  const next = () => understood(steps.next(), commit.name, connection)
  let toldAt = -Infinity
  let step = await next()
  for (; step.done !== true; step = await next()) {
    if (step.value.event !== 'fileProgress') continue
    const { path, progress, state } = step.value
    if (progress < 1 && Date.now() - toldAt < EVERY_MILLISECONDS) continue
    toldAt = Date.now()
    const doing = state === 'hashing' ? 'hashing' : 'sending'
    connection.tell({ type: 'upload.progressed', path, doing, share: progress })
  }
  const made: unknown = step.value?.commit.oid
  if (typeof made === 'string' && isCommit(made)) return made
  throw new AttuneError(
    'HUB_BAD_ANSWER',
    `${commit.name}: the Hub did not say which commit was made`,
    'Look at the page of the model to see whether the files are there.',
  )
}

function checkAllowed({ settings }: Connection): void {
  if (settings.offline)
    throw new AttuneError(
      'HUB_OFFLINE',
      'a model cannot be uploaded while the Hub is switched off',
      'Unset HF_HUB_OFFLINE.',
    )
  if (settings.token() === undefined)
    throw new AttuneError(
      'HUB_FORBIDDEN',
      'a model can be uploaded only with a token that may write, and there is none',
      'Make one in the settings of your account on the Hub, and give it: HF_TOKEN=….',
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
  const { settings, tell } = connection
  checkAllowed(connection)
  const files = await localFiles(resolve(folder))
  connection.budget.allowRequests(REQUESTS_PER_FILE * files.length)
  const { parent, created } = await findOrCreate(name, branch, options, connection)
  const changes = await compare(files, await listRepository(name, parent, connection))
  if (!created) checkReplaced(changes, parent, options.over, name)
  const sent = [...changes.added, ...changes.replaced]
  const paths = (some: readonly LocalFile[]): string[] => some.map(({ path }) => path)
  tell({
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
  tell({
    type: 'upload.completed',
    commit: made ?? parent,
    url: `${settings.endpoint}/${name}`,
    changed: made !== undefined,
    seconds: (Date.now() - began) / 1000,
  })
}

/** As {@link upload}, and told how to wait: tests do not. */
export const uploadPausing = (
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
 * Uploads the folder of a model or an adapter, card and all, as one commit. The repository is made if it is missing, and
 * then only its owner sees it. Files that are there and the same are not sent; ones that differ are replaced only when the
 * commit they are of is named, and in no case when someone was quicker. Other files of the repository stay.
 * The Observable is cold; unsubscribing stops, and without the commit nothing has changed.
 * @param reference `organization/name`, or `organization/name@branch`
 * @throws AttuneError (through the Observable) `BAD_MODEL_NAME`, `FILE_NOT_FOUND`, `BAD_MODEL_FOLDER`, `PICKLED_WEIGHTS`,
 *   `HUB_WOULD_OVERWRITE`, `HUB_CONFLICT`, `HUB_FORBIDDEN`, `HUB_NOT_FOUND` for a missing branch other than main,
 *   `HUB_UNREACHABLE`, `HUB_OFFLINE`, `HUB_BAD_ANSWER`
 */
export const upload = (folder: string, reference: string, options: UploadOptions = {}): Observable<HubEvent> =>
  uploadPausing(folder, reference, options)
