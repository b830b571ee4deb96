import { AttuneError, isAttuneError } from '@attune/core'
import type { Tell } from './events.js'
import { printable } from './model-name.js'
import { type Again, type Attempt, type Pause, persist, retryAfterSeconds } from './pauses.js'
import { type ProgressHint, putBlob, trackParts } from './put-blob.js'
import type { HubSettings } from './settings.js'

/** All that a request needs to know. */
export interface Connection {
  readonly settings: HubSettings
  readonly tell: Tell
  readonly pause: Pause
  readonly signal: AbortSignal
  /** How long a server may stay silent. */
  readonly silenceSeconds: number
}

/** Where redirects may lead: to the endpoint alone, or anywhere, as to the stores of large files; the token never goes there. */
type Reach = 'endpoint' | 'anywhere'

const MAXIMUM_REDIRECTS = 5
/** Answers of the API are lists of files at most; a server that sends more is broken or means harm. */
const MAXIMUM_ANSWER_BYTES = 64 * 1024 * 1024
const SILENCE = 'the server fell silent'
const TRY_AGAIN = new Set([408, 429, 500, 502, 503, 504])
const CONNECTION_ERRORS = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR)/

/** An address without its query, which may be a signature that opens it. */
export const shown = (url: URL | string): string => printable(String(url).replace(/[?#].*$/s, ''))

const badAnswer = (url: URL | string, why: string): AttuneError =>
  new AttuneError('HUB_BAD_ANSWER', `${shown(url)} answered what the Hub would not: ${why}`, 'Check HF_ENDPOINT.')

function headersFor(url: URL, given: RequestInit['headers'], { endpoint, token }: HubSettings): Headers {
  const headers = new Headers(given)
  headers.delete('authorization')
  const secret = url.origin === new URL(endpoint).origin ? token() : undefined
  if (secret !== undefined) headers.set('authorization', `Bearer ${secret}`)
  headers.set('user-agent', 'attune')
  return headers
}

/** A request, and who wants to hear how much of its body is sent. */
type Outgoing = RequestInit & { readonly onShare?: (share: number) => void }

/** Fetches with a limit on how long the head of the answer may take. */
async function fetchHead(url: URL, init: Outgoing, { signal, silenceSeconds }: Connection): Promise<Response> {
  const { body, method, headers, onShare = () => undefined } = init
  if (method === 'PUT' && typeof body === 'object' && body !== null && 'stream' in body)
    return putBlob(url, body, { headers: new Headers(headers), signal, silenceSeconds, silence: SILENCE, onShare })
  const silent = new AbortController()
  const timer = setTimeout(() => silent.abort(new Error(SILENCE)), silenceSeconds * 1000)
  try {
    return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.any([signal, silent.signal]) })
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Sends a request and follows redirects by hand: `fetch` would do it unseen, and the token is to go to the endpoint's own
 * origin and nowhere else.
 * @throws AttuneError `HUB_BAD_ANSWER` for redirects that lead nowhere, in circles, to another origin where there is no
 *   reason for it, or from https to http
 */
export async function send(at: URL, init: Outgoing, reach: Reach, connection: Connection): Promise<Response> {
  const home = new URL(connection.settings.endpoint).origin
  let url = at
  for (let hop = 0; hop <= MAXIMUM_REDIRECTS; hop++) {
    if (reach === 'endpoint' && url.origin !== home) throw badAnswer(at, `it leads to ${shown(url.origin)}`)
    const headers = headersFor(url, init.headers, connection.settings)
    const response = await fetchHead(url, { ...init, headers }, connection)
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || location === null) return response
    await response.body?.cancel()
    if (!URL.canParse(location, url.href)) throw badAnswer(url, 'a redirect to no address')
    const next = new URL(location, url.href)
    if (!/^https?:$/.test(next.protocol) || (url.protocol === 'https:' && next.protocol === 'http:'))
      throw badAnswer(url, `a redirect to ${shown(next)}`)
    if (![undefined, 'GET', 'HEAD'].includes(init.method) && response.status < 307)
      throw badAnswer(url, `a redirect of a ${String(init.method)}`)
    url = next
  }
  throw badAnswer(at, `more than ${MAXIMUM_REDIRECTS} redirects`)
}

/** What a failed connection is called. Other errors are ours, and are thrown on. */
export function connectionFault(error: unknown, signal: AbortSignal): Again {
  if (isAttuneError(error) || signal.aborted) throw error
  const { name, message, cause } = error as Error
  const { code = '', message: why } = (cause ?? error) as NodeJS.ErrnoException
  const ofFetch = name === 'TypeError' && cause !== undefined
  if (!ofFetch && message !== SILENCE && !CONNECTION_ERRORS.test(code)) throw error
  return { again: printable(code === '' ? why : code) }
}

/** Why an answer is worth waiting for another, if so. */
export const againFor = (response: Response): Again | undefined =>
  TRY_AGAIN.has(response.status)
    ? {
        again: `status ${response.status}`,
        afterSeconds: retryAfterSeconds(response.headers.get('retry-after')),
      }
    : undefined

/** The error for an answer that says no. */
export function refusal(response: Response, url: URL | string, said: string): AttuneError {
  const { status } = response
  const reason = printable(response.headers.get('x-error-message') ?? said)
  const problem = `${shown(url)} answered ${status}${reason === '' ? '' : `: ${reason}`}`
  const code = response.headers.get('x-error-code')
  if (code === 'GatedRepo')
    return new AttuneError(
      'HUB_FORBIDDEN',
      problem,
      'Accept the terms on the page of the model, and give a token of that account: HF_TOKEN=….',
    )
  if (status === 404 || code === 'RepoNotFound' || code === 'RevisionNotFound')
    return new AttuneError(
      'HUB_NOT_FOUND',
      problem,
      'Check the name and the revision; a private model is found only with a token that may read it: HF_TOKEN=….',
    )
  if (status === 401 || status === 403)
    return new AttuneError(
      'HUB_FORBIDDEN',
      problem,
      'Give a token that may do this: HF_TOKEN=…; if there is one, see its permissions in the settings of the account.',
    )
  if (status === 409 || status === 412)
    return new AttuneError(
      'HUB_CONFLICT',
      problem,
      'Someone else changed the repository. Look at it, and repeat the command.',
    )
  return badAnswer(url, `status ${status}${reason === '' ? '' : `, ${reason}`}`)
}

/** The body of an answer as it comes. Ends with an error when the server falls silent in the midst of it. */
export async function* chunksOf({ body }: Response, silenceSeconds: number): AsyncGenerator<Uint8Array> {
  if (body === null) return
  const reader = body.getReader()
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(SILENCE)), silenceSeconds * 1000)
      })
      const { done, value } = await Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer))
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined) // of a body that has broken off there is nothing to cancel
  }
}

async function readBounded(response: Response, url: URL, silenceSeconds: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunksOf(response, silenceSeconds)) {
    bytes += chunk.length
    if (bytes > MAXIMUM_ANSWER_BYTES) throw badAnswer(url, `more than ${MAXIMUM_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What an answer says of an error, without what looks like the token, should a server send it back. */
function complaint(body: Uint8Array, { token }: HubSettings): string {
  const text = Buffer.from(body).toString('utf8')
  let said = text.trimStart().startsWith('<') ? '' : text
  try {
    const { error, message } = JSON.parse(text) as { readonly error?: unknown; readonly message?: unknown }
    said = String(error ?? message ?? '')
  } catch {
    said = said.slice(0, 200)
  }
  const secret = token()
  return secret === undefined ? said : said.replaceAll(secret, '…')
}

/** Whether asking twice does no more than asking once. A commit that was made and not confirmed must not be made again. */
const repeatable = (url: URL, method: string): boolean =>
  method === 'GET' || !/\/commit\/[^/]+$|\/api\/repos\/create$/.test(url.pathname)

async function ask(url: URL, init: Outgoing, reach: Reach, connection: Connection): Promise<Attempt<Response>> {
  const repeat = repeatable(url, init.method ?? 'GET')
  try {
    const response = await send(url, init, reach, connection)
    const again = againFor(response)
    if (again !== undefined && (repeat || response.status === 429)) {
      await response.body?.cancel()
      return again
    }
    const body = await readBounded(response, url, connection.silenceSeconds)
    if (!response.ok) throw refusal(response, url, complaint(body, connection.settings))
    const { status, headers } = response
    const kept = new Headers(headers)
    kept.delete('content-encoding') // the body is decoded by now
    return { done: new Response(status === 204 ? null : body, { status, headers: kept }) }
  } catch (error) {
    const fault = connectionFault(error, connection.signal)
    if (repeat) return fault
    throw new AttuneError(
      'HUB_UNREACHABLE',
      `${shown(url)} did not confirm what was asked of it: ${fault.again}`,
      'Look at the repository to see whether it was done, and if not, repeat the command.',
      { cause: error },
    )
  }
}

/**
 * A `fetch` to give to `@huggingface/hub`. That library follows pages and redirects wherever they lead with the token in
 * hand, asks once, reads answers of any length, and takes only tokens that begin with `hf_`; so it gets no token at all,
 * and all that is done here.
 */
export function fetchFor(reach: Reach, connection: Connection): typeof fetch {
  const shareOf = trackParts()
  return (input, init = {}) => {
    const url = new URL(String(input))
    const { offline } = connection.settings
    if (offline)
      throw new AttuneError(
        'HUB_OFFLINE',
        `${shown(url)} may not be asked: the Hub is switched off`,
        'Unset HF_HUB_OFFLINE, or leave out --offline.',
      )
    const { progressHint } = init as { readonly progressHint?: ProgressHint }
    const outgoing = { ...init, onShare: shareOf(progressHint) }
    return persist(`asking ${shown(url)}`, () => ask(url, outgoing, reach, connection), connection)
  }
}
