import { constants, lstat, open, rename, rm } from 'node:fs/promises'
import { AttuneError } from '@attune/core'
import type { Connection } from './connection.js'
import { againFor, connectionFault } from './connection-fault.js'
import { type Digest, digestOf } from './digests.js'
import { HUB_LIMITS } from './limits.js'
import { printable } from './model-name.js'
import { type Again, type Attempt, persist } from './pauses.js'
import { chunksOf, isCompressed } from './read-body.js'
import { PLAIN_FILE } from './read-cached.js'
import { refusal } from './refusal.js'
import { send } from './send.js'

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
  if (length !== null && !isCompressed(response) && Number(length) !== job.bytes)
    throw badFile(job, `${printable(length)} bytes are to come, and ${job.bytes} were announced`)
  return 0
}

/** State of all attempts to fetch one file. */
interface Attempts {
  /** Most bytes that any attempt had; only bytes beyond count as gained. */
  reached: number
  /** Bytes received in all attempts. */
  received: number
}

/** Bytes that may be received for one file, as a multiple of its size. */
const MAXIMUM_COPIES = 8
const SMALL_FILE_BYTES = 2 ** 20

/** Writes what comes behind what is there. Resolves to the bytes that are there then. */
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
      if (here + chunk.length > job.bytes) throw badFile(job, `more than the ${job.bytes} bytes that were announced`)
      attempts.received += chunk.length
      if (attempts.received > MAXIMUM_COPIES * job.bytes + SMALL_FILE_BYTES)
        throw badFile(job, `${attempts.received} bytes were received for its ${job.bytes}, and it is still incomplete`)
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

/** True if an attempt had enough more bytes than all before it to reset the count of failures. */
function isGain(here: number, attempts: Attempts): boolean {
  const gained = here - attempts.reached >= HUB_LIMITS.gainedBytes
  if (gained) attempts.reached = here
  return gained
}

async function attempt(job: BlobJob, attempts: Attempts, connection: Connection): Promise<Attempt<boolean>> {
  const before = await bytesBefore(job)
  if (before === job.bytes && before > 0) return { done: true }
  let here = before
  try {
    const headers = { 'accept-encoding': 'identity', ...(before > 0 ? { range: `bytes=${before}-` } : {}) }
    const response = await send(job.url, { headers }, 'anywhere', connection)
    if (!response.ok) return againFor(response) ?? (await failure(response, job, connection))
    const from = startOf(response, job, before)
    here = await append(response, job, from, attempts, connection)
    if (here === job.bytes) return { done: from > 0 }
    return {
      again: `the connection was cut after ${here} of ${job.bytes} bytes`,
      gained: isGain(here, attempts),
    }
  } catch (error) {
    const fault = connectionFault(error, connection.signal)
    return { ...fault, gained: isGain(await bytesBefore(job), attempts) }
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
  const attempts = { reached: await bytesBefore(job), received: 0 }
  for (let mayBeginAnew = true; ; mayBeginAnew = false) {
    const once = (): Promise<Attempt<boolean>> => attempt(job, attempts, connection)
    const resumed = await persist(`fetching ${printable(job.path)}`, once, connection)
    const found = await digestOf(job.incomplete, job.bytes, job.digest.algorithm)
    if (found === job.digest.value) break
    await rm(job.incomplete, { force: true })
    attempts.reached = 0
    job.onBytes(0)
    // The part that was here before may have been damaged; what came in one piece was wrong where it came from.
    if (!resumed || !mayBeginAnew)
      throw badFile(job, `its ${job.digest.algorithm} is ${found}, not ${job.digest.value}`)
  }
  await rename(job.incomplete, job.target)
}
