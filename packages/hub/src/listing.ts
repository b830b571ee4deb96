import { AttuneError } from '@attune/core'
import { listFiles, modelInfo } from '@huggingface/hub'
import { z } from 'zod'
import { checkedPath, isCommit, printable } from './model-name.js'
import { type Connection, fetchFor, shown } from './requests.js'

/** A file of a repository. */
export interface RepositoryFile {
  readonly path: string
  readonly bytes: number
  /** The file's id in git: the SHA-1 of its blob, or of the pointer to it where the file is large. */
  readonly blobId: string
  /** The SHA-256 of the content, for large files alone. */
  readonly sha256?: string
  /** Kept because the Python library keeps it; nothing is done with it here. */
  readonly xetHash?: string
}

const MAXIMUM_FILES = 20_000
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
    `${shown(endpoint)} answered of ${name} what the Hub would not: ${why}`,
    'Check HF_ENDPOINT.',
  )

/** The commit that a revision of a model is now. @throws AttuneError `HUB_NOT_FOUND`, `HUB_FORBIDDEN`, `HUB_UNREACHABLE`, `HUB_BAD_ANSWER` */
export async function resolveCommit(name: string, revision: string, connection: Connection): Promise<string> {
  const { endpoint } = connection.settings
  const info = await modelInfo({
    name,
    revision,
    additionalFields: ['sha'],
    hubUrl: endpoint,
    fetch: fetchFor('endpoint', connection),
  }).catch((error: unknown) => {
    if ((error as Error).name === 'SyntaxError') throw malformed(endpoint, name, 'no JSON')
    throw error
  })
  if (typeof info.sha === 'string' && isCommit(info.sha)) return info.sha
  throw malformed(endpoint, name, 'it has no commit')
}

function fileOf(entry: unknown, name: string, endpoint: string): RepositoryFile | undefined {
  const { data, error } = entrySchema.safeParse(entry)
  if (data === undefined) {
    if ((entry as { readonly type?: unknown } | null)?.type !== 'file') return undefined
    throw malformed(endpoint, name, `a file without what must be known of it: ${printable(z.prettifyError(error))}`)
  }
  if (data.type !== 'file') return undefined
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

/**
 * All files of a model at a commit.
 * @throws AttuneError `BAD_REPOSITORY_PATH` for names that lead elsewhere, and those of {@link resolveCommit}
 */
export async function listRepository(
  name: string,
  commit: string,
  connection: Connection,
): Promise<readonly RepositoryFile[]> {
  const { endpoint } = connection.settings
  const files: RepositoryFile[] = []
  const entries = listFiles({
    repo: { type: 'model', name },
    recursive: true,
    revision: commit,
    hubUrl: endpoint,
    fetch: fetchFor('endpoint', connection),
  })
  try {
    for await (const entry of entries) {
      const file = fileOf(entry, name, endpoint)
      if (file !== undefined) files.push(file)
      if (files.length > MAXIMUM_FILES) throw malformed(endpoint, name, `more than ${MAXIMUM_FILES} files`)
    }
  } catch (error) {
    if (['SyntaxError', 'TypeError'].includes((error as Error).name))
      throw malformed(endpoint, name, 'no list of files')
    throw error
  }
  return files
}
