import { constants, lstat, open, rename, rm } from 'node:fs/promises'
import { AttuneError } from '@attune/core'
import type { Connection } from './connection.js'
import { retryFor, connectionFault } from './connection-fault.js'
import { type Digest, digestOf } from './digests.js'
import { HUB_LIMITS } from './limits.js'
import { printable } from './model-name.js'
import { type Retry, type Attempt, retry } from './pauses.js'
import { chunksOf, isCompressed } from './read-body.js'
import { PLAIN_FILE } from './read-cached.js'
import { responseError } from './response-errors.js'
import { send } from './send.js'

/** A blob to fetch. */
export interface BlobJob {
  readonly url: URL
  /** Path of the file, for messages. */
  readonly path: string
  /** Size of the file in the file list. */
  readonly bytes: number
  readonly digest: Digest
  /** Path of the partial file, from which a later attempt resumes. */
  readonly incomplete: string
  /** Path of the complete file. */
  readonly target: string
  /** Receives the number of available bytes whenever it changes. */
  readonly onBytes: (bytesHere: number) => void
}

const badFile = ({ path }: BlobJob, why: string): AttuneError =>
  new AttuneError(
    'HUB_BAD_FILE',
    `${printable(path)} does not match the file list of the Hub: ${why}`,
    'Repeat the command. If it fails again, check HF_ENDPOINT and proxies, which may alter files.',
  )

/** Size of a valid partial file. Deletes anything but a plain file of at most the expected size. */
async function partialBytes({ incomplete, bytes }: BlobJob): Promise<number> {
  const found = await lstat(incomplete).catch(() => undefined)
  if (found === undefined) return 0
  if (found.isFile() && found.size <= bytes) return found.size
  await rm(incomplete, { recursive: true, force: true })
  return 0
}

/** First byte of the file in a response. @throws AttuneError `HUB_BAD_FILE` for another size than listed */
function startOf(response: Response, job: BlobJob, requested: number): number {
  const { headers, status } = response
  if (status === 206) {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
    if (Number(from) !== requested || (total !== '*' && Number(total) !== job.bytes))
      throw badFile(
        job,
        `expected a range from ${requested} of ${job.bytes} bytes, got "${printable(headers.get('content-range') ?? '')}"`,
      )
    return requested
  }
  const length = headers.get('content-length')
  if (length !== null && !isCompressed(response) && Number(length) !== job.bytes)
    throw badFile(job, `expected ${job.bytes} bytes, got a content length of ${printable(length)}`)
  return 0
}

/** State of all attempts to fetch a file. */
interface Attempts {
  /** Maximum number of bytes of any attempt; only bytes beyond it count as progress. */
  reached: number
  /** Total bytes received in all attempts. */
  received: number
}

/** Maximum number of received bytes for one file, as a multiple of its size. */
const MAXIMUM_COPIES = 8
const SMALL_FILE_BYTES = 2 ** 20

/** Appends a response to the partial file. Resolves to its size. */
async function append(
  response: Response,
  job: BlobJob,
  from: number,
  attempts: Attempts,
  connection: Connection,
): Promise<number> {
  const { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } = constants
  const file = await open(job.incomplete, O_WRONLY | O_CREAT | PLAIN_FILE | (from > 0 ? O_APPEND : O_TRUNC))
  let here = from
  job.onBytes(here)
  try {
    for await (const chunk of chunksOf(response, 'content', connection)) {
      if (here + chunk.length > job.bytes) throw badFile(job, `expected ${job.bytes} bytes, got more`)
      attempts.received += chunk.length
      if (attempts.received > MAXIMUM_COPIES * job.bytes + SMALL_FILE_BYTES)
        throw badFile(
          job,
          `${attempts.received} bytes were received for ${job.bytes} expected ones, and it is still incomplete`,
        )
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

/** Returns the reason to retry after an unsuccessful response. @throws AttuneError if a retry is useless */
async function failure(response: Response, job: BlobJob, { settings }: Connection): Promise<Retry> {
  await response.body?.cancel()
  if (response.status === 416) {
    await rm(job.incomplete, { force: true }) // the partial file is too long: restart
    return { retryReason: 'status 416' }
  }
  const elsewhere = response.url !== '' && new URL(response.url).origin !== new URL(settings.endpoint).origin
  // Stores of large files respond so to an expired URL; the Hub issues a new one.
  if (elsewhere && response.status === 403) return { retryReason: 'status 403 from the store' }
  throw responseError(response, job.url, '')
}

/** True if an attempt made enough progress beyond all earlier ones to reset the count of failures. */
function madeProgress(here: number, attempts: Attempts): boolean {
  const gained = here - attempts.reached >= HUB_LIMITS.gainedBytes
  if (gained) attempts.reached = here
  return gained
}

async function attempt(job: BlobJob, attempts: Attempts, connection: Connection): Promise<Attempt<boolean>> {
  const before = await partialBytes(job)
  if (before === job.bytes && before > 0) return { done: true }
  let here = before
  try {
    const headers = { 'accept-encoding': 'identity', ...(before > 0 ? { range: `bytes=${before}-` } : {}) }
    const response = await send(job.url, { headers }, 'anywhere', connection)
    if (!response.ok) return retryFor(response) ?? (await failure(response, job, connection))
    const from = startOf(response, job, before)
    here = await append(response, job, from, attempts, connection)
    if (here === job.bytes) return { done: from > 0 }
    return {
      retryReason: `the connection was lost after ${here} of ${job.bytes} bytes`,
      gained: madeProgress(here, attempts),
    }
  } catch (error) {
    const fault = connectionFault(error, connection.signal)
    return { ...fault, gained: madeProgress(await partialBytes(job), attempts) }
  }
}

/**
 * Fetches a blob, resuming an earlier attempt, and renames it to its target once its digest is verified. The whole
 * file is read back for that, so that the content on the disk is verified.
 *
 * `downloadFileToCacheDir` of `@huggingface/hub` restarts after a lost connection, and checks neither size nor
 * digest. Files in Xet storage are fetched over HTTP like others: the Hub serves all of them there.
 * @throws AttuneError `HUB_BAD_FILE`, `HUB_UNREACHABLE`, `HUB_FORBIDDEN`, `HUB_NOT_FOUND`
 */
export async function fetchBlob(job: BlobJob, connection: Connection): Promise<void> {
  const attempts = { reached: await partialBytes(job), received: 0 }
  for (let mayRestart = true; ; mayRestart = false) {
    const once = (): Promise<Attempt<boolean>> => attempt(job, attempts, connection)
    const resumed = await retry(`fetching ${printable(job.path)}`, once, connection)
    const found = await digestOf(job.incomplete, job.bytes, job.digest.algorithm)
    if (found === job.digest.value) break
    await rm(job.incomplete, { force: true })
    attempts.reached = 0
    job.onBytes(0)
    // A resumed file may have had a damaged beginning; a file from a single response is wrong at its source.
    if (!resumed || !mayRestart)
      throw badFile(job, `expected ${job.digest.algorithm} ${job.digest.value}, got ${found}`)
  }
  await rename(job.incomplete, job.target)
}
