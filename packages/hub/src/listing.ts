import { AttuneError, isRecord } from '@attune/core'
import { listFiles, modelInfo } from '@huggingface/hub'
import { z } from 'zod'
import type { Connection } from './connection.js'
import { HUB_LIMITS } from './limits.js'
import { checkedPath, isCommit, printable } from './model-name.js'
import { shown } from './response-errors.js'
import { type Inspect, fetchFor, convertErrors } from './requests.js'
import { findConflict } from './path-conflicts.js'

/** A file of a repository. */
export interface RepositoryFile {
  readonly path: string
  readonly bytes: number
  /** Git id: the SHA-1 of the blob, or of the pointer to it for a large file. */
  readonly blobId: string
  /** SHA-256 of the content, for large files only. */
  readonly sha256?: string
  /** Cached for the Python library; not used here. */
  readonly xetHash?: string
}

/** Validating an entry takes about 20 microseconds. */
const STEPS_PER_ENTRY = 4000
const bytes = z.int().min(0)
const hexadecimal = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))

const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: bytes,
  oid: hexadecimal(40),
  lfs: z.object({ oid: hexadecimal(64), size: bytes }).nullish(),
  xetHash: hexadecimal(64).nullish(),
})

const malformed = (endpoint: string, name: string, why: string): AttuneError =>
  new AttuneError(
    'HUB_BAD_ANSWER',
    `invalid response of ${shown(endpoint)} for ${name}: ${why}`,
    'Check that HF_ENDPOINT is the URL of a Hub.',
  )

/**
 * Returns the current commit of a revision. @throws AttuneError `HUB_NOT_FOUND`, `HUB_FORBIDDEN`, `HUB_UNREACHABLE`,
 * `HUB_BAD_ANSWER`
 */
export async function resolveCommit(name: string, revision: string, connection: Connection): Promise<string> {
  const { endpoint } = connection.settings
  const asked = modelInfo({
    name,
    revision,
    additionalFields: ['sha'],
    hubUrl: endpoint,
    fetch: fetchFor('endpoint', connection),
  })
  const info = await convertErrors(asked, name, connection)
  if (typeof info.sha === 'string' && isCommit(info.sha)) return info.sha
  throw malformed(endpoint, name, 'expected a commit hash')
}

function fileOf(entry: unknown, name: string, endpoint: string): RepositoryFile | undefined {
  if (!isRecord(entry) || entry['type'] !== 'file') return undefined
  const { data, error } = entrySchema.safeParse(entry)
  if (data === undefined)
    throw malformed(endpoint, name, `malformed entry of the file list: ${printable(z.prettifyError(error))}`)
  const { path, size, oid, lfs, xetHash } = data
  checkedPath(path, name)
  return {
    path,
    bytes: lfs?.size ?? size,
    blobId: oid,
    ...(lfs == null ? {} : { sha256: lfs.oid }),
    ...(xetHash == null ? {} : { xetHash }),
  }
}

/** Creates a `fetch` for the pages of one file list, which rejects repeated and too many pages. */
function pagesOf(name: string, connection: Connection): typeof fetch {
  const { endpoint } = connection.settings
  let [entries, empty] = [0, 0]
  const inspect: Inspect = (_, page) => {
    if (!Array.isArray(page)) throw malformed(endpoint, name, 'the file list is not a list')
    if (page.length === 0 && ++empty > HUB_LIMITS.emptyPages)
      throw malformed(endpoint, name, `more than ${HUB_LIMITS.emptyPages} empty pages`)
    entries += page.length
    if (entries > HUB_LIMITS.entries) throw malformed(endpoint, name, `more than ${HUB_LIMITS.entries} entries`)
    connection.budget.spend(STEPS_PER_ENTRY * page.length)
  }
  const fetchPage = fetchFor('endpoint', connection, inspect)
  const asked = new Set<string>()
  return async (input, init) => {
    if (asked.has(String(input))) throw malformed(endpoint, name, 'the file list links back to its own pages')
    if (asked.size === HUB_LIMITS.pages) throw malformed(endpoint, name, `more than ${HUB_LIMITS.pages} pages of files`)
    asked.add(String(input))
    return await fetchPage(input, init)
  }
}

async function listed(name: string, commit: string, connection: Connection): Promise<readonly RepositoryFile[]> {
  const { endpoint } = connection.settings
  const files: RepositoryFile[] = []
  const entries = listFiles({
    repo: { type: 'model', name },
    recursive: true,
    revision: commit,
    hubUrl: endpoint,
    fetch: pagesOf(name, connection),
  })
  for await (const entry of entries) {
    const file = fileOf(entry, name, endpoint)
    if (file !== undefined) files.push(file)
    if (files.length > HUB_LIMITS.files) throw malformed(endpoint, name, `more than ${HUB_LIMITS.files} files`)
  }
  return files
}

/**
 * Lists all files of a model at a commit.
 * @throws AttuneError `BAD_REPOSITORY_PATH` for paths outside of the repository, and those of {@link resolveCommit},
 * also for infinite lists, and for a path that is listed twice, or as a file and a folder
 */
export async function listRepository(
  name: string,
  commit: string,
  connection: Connection,
): Promise<readonly RepositoryFile[]> {
  const files = await convertErrors(listed(name, commit, connection), name, connection)
  const conflict = findConflict(files.map(({ path }) => path))
  if (conflict === undefined) return files
  const [one, other] = conflict.map((path) => JSON.stringify(printable(path)))
  throw malformed(connection.settings.endpoint, name, `the files ${one} and ${other} cannot both exist`)
}
