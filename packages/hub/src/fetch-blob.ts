import { lstat, open, rename, rm } from 'node:fs/promises'
import { AttuneError } from '@attune/core'
import { type Digest, digestOf } from './digests.js'
import { printable } from './model-name.js'
import { type Again, type Attempt, persist } from './pauses.js'
import { type Connection, againFor, chunksOf, connectionFault, refusal, send } from './requests.js'

/** One content to fetch. */
export interface BlobJob {
  readonly url: URL
  /** The file's name, for messages. */
  readonly path: string
  /** Its size, as the list of files announced it. */
  readonly bytes: number
  readonly digest: Digest
  /** Where it grows, and where a later attempt finds what came. */
  readonly incomplete: string
  /** Where it goes when it is whole. */
  readonly target: string
  /** Told how many bytes are here, whenever that changes. */
  readonly onBytes: (bytesHere: number) => void
}

const badFile = ({ path }: BlobJob, why: string): AttuneError =>
  new AttuneError(
    'HUB_BAD_FILE',
    `${printable(path)} is not what the Hub announced: ${why}`,
    'Repeat the command; if it happens again, something between you and the Hub changes files: check HF_ENDPOINT and proxies.',
  )

/** How much of it came before. Anything but a plain file that is not too long is removed. */
async function bytesBefore({ incomplete, bytes }: BlobJob): Promise<number> {
  const found = await lstat(incomplete).catch(() => undefined)
  if (found === undefined) return 0
  if (found.isFile() && found.size <= bytes) return found.size
  await rm(incomplete, { recursive: true, force: true })
  return 0
}

/** From which byte on an answer brings the file. @throws AttuneError `HUB_BAD_FILE` for another size than was announced */
function startOf(response: Response, job: BlobJob, asked: number): number {
  const { headers, status } = response
  if (status === 206) {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
    if (Number(from) !== asked || (total !== '*' && Number(total) !== job.bytes))
      throw badFile(
        job,
        `a range "${printable(headers.get('content-range') ?? '')}" of ${job.bytes} bytes from ${asked}`,
      )
    return asked
  }
  const length = headers.get('content-length')
  const encoded = ![null, '', 'identity'].includes(headers.get('content-encoding'))
  if (length !== null && !encoded && Number(length) !== job.bytes)
    throw badFile(job, `${printable(length)} bytes are to come, and ${job.bytes} were announced`)
  return 0
}

/** Writes what comes behind what is there. Resolves to the bytes that are there then. */
async function append(response: Response, job: BlobJob, from: number, silenceSeconds: number): Promise<number> {
  const file = await open(job.incomplete, from > 0 ? 'a' : 'w')
  let here = from
  job.onBytes(here)
  try {
    for await (const chunk of chunksOf(response, silenceSeconds)) {
      if (here + chunk.length > job.bytes) throw badFile(job, `more than the ${job.bytes} bytes that were announced`)
      await file.writeFile(chunk)
      here += chunk.length
      job.onBytes(here)
    }
    await file.sync()
    return here
  } finally {
    await file.close()
  }
}

/** Why an answer brings nothing. */
async function failure(response: Response, job: BlobJob, { settings }: Connection): Promise<Again> {
  await response.body?.cancel()
  if (response.status === 416) {
    await rm(job.incomplete, { force: true }) // what is here goes beyond what is there: begin anew
    return { again: 'status 416' }
  }
  const elsewhere = response.url !== '' && new URL(response.url).origin !== new URL(settings.endpoint).origin
  // The stores of large files say so when an address has expired; the Hub gives a new one.
  if (elsewhere && response.status === 403) return { again: 'status 403 of the store' }
  throw refusal(response, job.url, '')
}

async function attempt(job: BlobJob, connection: Connection): Promise<Attempt<boolean>> {
  const before = await bytesBefore(job)
  if (before === job.bytes && before > 0) return { done: true }
  let here = before
  try {
    const headers = { 'accept-encoding': 'identity', ...(before > 0 ? { range: `bytes=${before}-` } : {}) }
    const response = await send(job.url, { headers }, 'anywhere', connection)
    if (!response.ok) return againFor(response) ?? (await failure(response, job, connection))
    const from = startOf(response, job, before)
    here = await append(response, job, from, connection.silenceSeconds)
    if (here === job.bytes) return { done: from > 0 }
    return { again: `the connection was cut after ${here} of ${job.bytes} bytes`, gained: here > before }
  } catch (error) {
    const fault = connectionFault(error, connection.signal)
    return { ...fault, gained: (await bytesBefore(job)) > before }
  }
}

/**
 * Fetches one content, going on where an earlier attempt was cut, and moves it into place once its digest is right. The
 * whole file is read back for that, so that what counts is what the disk holds.
 *
 * `downloadFileToCacheDir` of `@huggingface/hub` begins anew when it is cut, and checks neither size nor digest. Files in
 * Xet storage come over HTTP like others: the Hub serves all of them there.
 * @throws AttuneError `HUB_BAD_FILE`, `HUB_UNREACHABLE`, `HUB_FORBIDDEN`, `HUB_NOT_FOUND`
 */
export async function fetchBlob(job: BlobJob, connection: Connection): Promise<void> {
  for (let mayBeginAnew = true; ; mayBeginAnew = false) {
    const resumed = await persist(`fetching ${printable(job.path)}`, () => attempt(job, connection), connection)
    const found = await digestOf(job.incomplete, job.bytes, job.digest.algorithm)
    if (found === job.digest.value) break
    await rm(job.incomplete, { force: true })
    job.onBytes(0)
    // The part that was here before may have been damaged; what came in one piece was wrong where it came from.
    if (!resumed || !mayBeginAnew)
      throw badFile(job, `its ${job.digest.algorithm} is ${found}, not ${job.digest.value}`)
  }
  await rename(job.incomplete, job.target)
}
