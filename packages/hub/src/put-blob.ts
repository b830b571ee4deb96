import { type ClientRequest, type IncomingMessage, request as requestByHttp } from 'node:http'
import { request as requestByHttps } from 'node:https'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { isAttuneError } from '@attune/core'
import { type Connection, countWait } from './connection.js'
import { brokenOff } from './connection-fault.js'
import { HUB_LIMITS } from './limits.js'
import { SILENCE } from './read-body.js'
import { badAnswer } from './refusal.js'

/** What `@huggingface/hub` adds to a request of which it would like to hear how far it is. */
export interface ProgressHint {
  readonly path?: string
  readonly part?: number
  readonly numParts?: number
  readonly progressCallback: (share: number) => void
}

/** A request, and a callback for the fraction of its body that was sent. */
export type Outgoing = RequestInit & { readonly onShare?: (share: number) => void }

/** A chunk of 64 KiB may take this many times longer than an answer, because several files share the link. */
const PATIENCE_IN_SENDING = 2
const WITHOUT_BODY = [204, 205, 304]

/** Converts an answer to that of `fetch`. @throws AttuneError `HUB_BAD_ANSWER` for an invalid status */
function responseOf(message: IncomingMessage, url: URL): Response {
  const headers = Object.entries(message.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  )
  const status = message.statusCode ?? 0
  if (status < 200 || status > 599) throw badAnswer(url, `status ${status}`)
  const body = WITHOUT_BODY.includes(status) ? null : (Readable.toWeb(message) as globalThis.ReadableStream)
  return new Response(body, { status, headers })
}

/** Starts the request. */
function begin(url: URL, blob: Blob, init: Outgoing, signal: AbortSignal) {
  const request = (url.protocol === 'https:' ? requestByHttps : requestByHttp)(url, {
    method: 'PUT',
    headers: { ...Object.fromEntries(new Headers(init.headers)), 'content-length': String(blob.size) },
    signal,
  })
  let informational = 0
  request.on('information', () => {
    if (++informational > HUB_LIMITS.informational) request.destroy(badAnswer(url, 'informational answers without end'))
  })
  const answered = new Promise<IncomingMessage>((done, failed) => {
    request.on('response', done)
    request.on('error', failed)
    request.on('close', () => failed(new Error('the connection was closed'))) // without an error after status 101
  })
  return { request, answered }
}

/** Counts the chunks that pass, and ends the request when none passes for too long. */
function meter(request: ClientRequest, blob: Blob, { onShare }: Outgoing, connection: Connection) {
  const { now, budget, setAlarm } = connection
  const seconds = PATIENCE_IN_SENDING * connection.silenceSeconds
  // Not the timeout of the socket, which starts again with every byte that is accepted.
  const alarm = setAlarm(seconds, () => request.destroy(new Error(SILENCE)))
  let [sent, began] = [0, now()]
  const count = (): void => {
    alarm.restart()
    countWait(connection, began, seconds)
    began = now()
  }
  const passing = new Transform({
    transform(chunk: Uint8Array, _, next) {
      try {
        budget.send(chunk.length)
        count()
      } catch (error) {
        return next(error as Error)
      }
      sent += chunk.length
      onShare?.(sent / blob.size)
      next(null, chunk)
    },
  })
  const stop = (): void => {
    alarm.stop()
    countWait(connection, began, seconds)
  }
  return { passing, stop }
}

/**
 * Puts a content to an address, no faster than it is taken. Node's `fetch` reads a body as fast as the disk gives it, and
 * keeps in memory what the network has not taken yet: the whole of a model.
 */
export async function putBlob(url: URL, blob: Blob, init: Outgoing, connection: Connection): Promise<Response> {
  const { request, answered } = begin(url, blob, init, connection.signal)
  const { passing, stop } = meter(request, blob, init, connection)
  let ofFile: unknown
  const content = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* blob.stream() as ReadableStream<Uint8Array>
    } catch (error) {
      ofFile = error
      throw error
    }
  }
  try {
    const [message] = await Promise.all([answered, pipeline(content, passing, request)])
    return responseOf(message, url)
  } catch (error) {
    throw ofFile ?? (isAttuneError(error) || connection.signal.aborted ? error : brokenOff(error))
  } finally {
    stop()
  }
}

/** Adds up the parts of files that are sent in several, for the library's callback. */
export function trackParts(): (hint: ProgressHint | undefined) => (share: number) => void {
  const parts = new Map<string, Map<number, number>>()
  return (hint) => (share) => {
    if (hint?.path === undefined) return
    const { path, part = 0, numParts = 1, progressCallback } = hint
    const shares = parts.get(path) ?? new Map<number, number>()
    parts.set(path, shares.set(part, share))
    progressCallback([...shares.values()].reduce((sum, each) => sum + each, 0) / numParts)
  }
}
