import { type IncomingMessage, request as requestByHttp } from 'node:http'
import { request as requestByHttps } from 'node:https'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'

/** What `@huggingface/hub` adds to a request of which it would like to hear how far it is. */
export interface ProgressHint {
  readonly path?: string
  readonly part?: number
  readonly numParts?: number
  readonly progressCallback: (share: number) => void
}

/** How a content is sent. */
export interface Sending {
  readonly headers: Headers
  readonly signal: AbortSignal
  readonly silenceSeconds: number
  /** What the error of a server that takes nothing any more says. */
  readonly silence: string
  readonly onShare: (share: number) => void
}

const MAXIMUM_ANSWER_BYTES = 1024 * 1024

async function answerOf(message: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAXIMUM_ANSWER_BYTES) break
    chunks.push(chunk)
  }
  const headers = Object.entries(message.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  )
  const status = message.statusCode ?? 500
  return new Response([204, 304].includes(status) ? null : Buffer.concat(chunks), { status, headers })
}

/**
 * Puts a content to an address, no faster than it is taken. Node's `fetch` reads a body as fast as the disk gives it, and
 * keeps in memory what the network has not taken yet: the whole of a model.
 */
export async function putBlob(url: URL, blob: Blob, sending: Sending): Promise<Response> {
  const { headers, signal, silenceSeconds, silence, onShare } = sending
  const request = (url.protocol === 'https:' ? requestByHttps : requestByHttp)(url, {
    method: 'PUT',
    headers: { ...Object.fromEntries(headers), 'content-length': String(blob.size) },
    signal,
  })
  request.setTimeout(silenceSeconds * 1000, () => request.destroy(new Error(silence)))
  const answered = new Promise<IncomingMessage>((done, failed) => {
    request.on('response', done)
    request.on('error', failed)
  })
  let sent = 0
  const count = new Transform({
    transform(chunk: Uint8Array, _, next) {
      sent += chunk.length
      onShare(sent / blob.size)
      next(null, chunk)
    },
  })
  const body = Readable.fromWeb(blob.stream() as ReadableStream)
  const [message] = await Promise.all([answered, pipeline(body, count, request)])
  return answerOf(message)
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
