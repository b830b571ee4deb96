import { type ClientRequest, type IncomingMessage, request as requestByHttp } from 'node:http'
import { request as requestByHttps } from 'node:https'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { isAttuneError } from '@attune/core'
import { type Connection, countWait } from './connection.js'
import { connectionError } from './connection-fault.js'
import { HUB_LIMITS } from './limits.js'
import { SILENCE } from './read-body.js'
import { invalidResponse } from './response-errors.js'

/** Added by `@huggingface/hub` to a request whose progress it wants to receive. */
export interface ProgressHint {
  readonly path?: string
  readonly part?: number
  readonly numParts?: number
  readonly progressCallback: (share: number) => void
}

/** A request, with a callback for the sent fraction of its body. */
export type Outgoing = RequestInit & { readonly onShare?: (share: number) => void }

/** A chunk of 64 KiB may take this many times longer than a response, because several files share the connection. */
const SEND_PATIENCE = 2
const WITHOUT_BODY = [204, 205, 304]

/** Converts a message of Node to a Response of `fetch`. @throws AttuneError `HUB_BAD_ANSWER` for an invalid status */
function responseOf(message: IncomingMessage, url: URL): Response {
  const headers = Object.entries(message.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  )
  const status = message.statusCode ?? 0
  if (status < 200 || status > 599) throw invalidResponse(url, `status ${status}`)
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
    if (++informational > HUB_LIMITS.informational)
      request.destroy(invalidResponse(url, 'endless informational responses'))
  })
  const answered = new Promise<IncomingMessage>((done, failed) => {
    request.on('response', done)
    request.on('error', failed)
    request.on('close', () => failed(new Error('the connection was closed'))) // emitted without an error after status 101
  })
  return { request, answered }
}

/** Counts the chunks that pass, and destroys the request if none passes for too long. */
function meter(request: ClientRequest, blob: Blob, { onShare }: Outgoing, connection: Connection) {
  const { now, budget, setAlarm } = connection
  const seconds = SEND_PATIENCE * connection.silenceSeconds
  // Not the socket timeout, which restarts with every accepted byte.
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
 * Uploads a blob with backpressure. Node's `fetch` reads a body as fast as the disk allows and buffers in memory what
 * the network has not accepted yet: up to the whole model.
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
    throw ofFile ?? (isAttuneError(error) || connection.signal.aborted ? error : connectionError(error))
  } finally {
    stop()
  }
}

/** Adds up the parts of multipart uploads, for the library's callback. */
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
