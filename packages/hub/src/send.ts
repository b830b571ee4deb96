import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type Connection, countWait } from './connection.js'
import { connectionError } from './connection-fault.js'
import { HUB_LIMITS } from './limits.js'
import { type Outgoing, putBlob } from './put-blob.js'
import { SILENCE } from './read-body.js'
import { invalidResponse, shown } from './response-errors.js'
import type { HubSettings } from './settings.js'

/**
 * Allowed targets of redirects: only the endpoint, or any host, such as stores of large files, which never receive
 * the token.
 */
export type Reach = 'endpoint' | 'anywhere'

function headersFor(url: URL, given: RequestInit['headers'], { endpoint, token }: HubSettings): Headers {
  const headers = new Headers(given)
  headers.delete('authorization')
  const secret = url.origin === new URL(endpoint).origin ? token() : undefined
  if (secret !== undefined) headers.set('authorization', `Bearer ${secret}`)
  headers.set('user-agent', 'attune')
  return headers
}

/** Message on the diagnostics channel of `fetch` about the head of a response. */
interface Head {
  readonly request: { readonly origin: unknown; readonly path: string }
  readonly response: { readonly statusCode: number }
}

/**
 * Calls a function after too many informational responses, which `fetch` skips. Returns a function that stops
 * counting.
 */
function watchInformational(url: URL, onTooMany: () => void): () => void {
  let count = 0
  const listen = (message: unknown): void => {
    const { request, response } = message as Head
    if (response.statusCode >= 200 || String(request.origin) !== url.origin) return
    if (request.path === url.pathname + url.search && ++count > HUB_LIMITS.informational) onTooMany()
  }
  subscribe('undici:request:headers', listen)
  return () => void unsubscribe('undici:request:headers', listen)
}

/** Fetches with a limit on the time until the head of the response, and on the informational responses before it. */
async function fetchHead(url: URL, init: Outgoing, connection: Connection): Promise<Response> {
  const { now, budget, signal, setAlarm } = connection
  const bodyBytes = typeof init.body === 'string' ? Buffer.byteLength(init.body) : 0
  const seconds = connection.silenceSeconds + bodyBytes / HUB_LIMITS.requestBytesPerSecond
  budget.send(bodyBytes)
  const end = new AbortController()
  const alarm = setAlarm(seconds, () => end.abort(connectionError(SILENCE)))
  const stop = watchInformational(url, () => end.abort(invalidResponse(url, 'endless informational responses')))
  const began = now()
  try {
    return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.any([signal, end.signal]) })
  } finally {
    stop()
    alarm.stop()
    countWait(connection, began, seconds)
  }
}

/** Fetches the head of the response to one request. */
async function fetchOnce(url: URL, init: Outgoing, connection: Connection): Promise<Response> {
  connection.budget.request()
  const { body, method } = init
  const isBlob = method === 'PUT' && typeof body === 'object' && body !== null && 'stream' in body
  const response = await (isBlob ? putBlob(url, body, init, connection) : fetchHead(url, init, connection))
  // Each layer can expand a thousandfold and the next one discard that, so a limit on the result would not bound the work.
  if (response.headers.get('content-encoding')?.includes(',') !== true) return response
  await response.body?.cancel()
  throw invalidResponse(url, 'the body is compressed several times')
}

/** Target of a redirect. @throws AttuneError `HUB_BAD_ANSWER` for an invalid target */
function redirected(url: URL, location: string, method: string | undefined, status: number): URL {
  if (!URL.canParse(location, url.href)) throw invalidResponse(url, 'a redirect without a valid URL')
  const next = new URL(location, url.href)
  if (!/^https?:$/.test(next.protocol) || (url.protocol === 'https:' && next.protocol === 'http:'))
    throw invalidResponse(url, `a redirect to ${shown(next)}`)
  if (![undefined, 'GET', 'HEAD'].includes(method) && status < 307)
    throw invalidResponse(url, `a redirect of a ${String(method)}`)
  return next
}

/**
 * Sends a request and follows redirects itself, because `fetch` would not expose them and the token must only be sent
 * to the endpoint's own origin.
 * @throws AttuneError `HUB_BAD_ANSWER` for invalid URLs, redirect loops, redirects to another origin than `reach`
 * allows, and redirects from https to http
 */
export async function send(at: URL, init: Outgoing, reach: Reach, connection: Connection): Promise<Response> {
  const home = new URL(connection.settings.endpoint)
  if (!/^https?:$/.test(at.protocol) || (home.protocol === 'https:' && at.protocol === 'http:'))
    throw invalidResponse(home, `the URL ${shown(at)}`)
  let url = at
  for (let hop = 0; hop <= HUB_LIMITS.redirects; hop++) {
    if (reach === 'endpoint' && url.origin !== home.origin)
      throw invalidResponse(at, `it redirects to ${shown(url.origin)}`)
    const headers = headersFor(url, init.headers, connection.settings)
    const response = await fetchOnce(url, { ...init, headers }, connection)
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || location === null) return response
    await response.body?.cancel()
    url = redirected(url, location, init.method, response.status)
  }
  throw invalidResponse(at, `more than ${HUB_LIMITS.redirects} redirects`)
}
