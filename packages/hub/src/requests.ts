import { AttuneError, isAttuneError } from '@attune/core'
import { parseBounded } from './bounded-json.js'
import type { Connection } from './connection.js'
import { retryFor, connectionFault } from './connection-fault.js'
import { printable } from './model-name.js'
import { type Attempt, retry } from './pauses.js'
import { type Outgoing, type ProgressHint, trackParts } from './put-blob.js'
import { readAnswer } from './read-body.js'
import { invalidResponse, responseError, shown } from './response-errors.js'
import { type Reach, send } from './send.js'

/** Validates the parsed value of a response, given the request body, before `@huggingface/hub` uses it. */
export type Inspect = (url: URL, value: unknown, body: unknown) => void

/** Maximum length of a `Link` header; real ones have a few hundred characters. */
const MAXIMUM_LINK = 4096

/** Extracts the message from the body of an error. */
function errorMessage(text: string): string {
  try {
    const { error, message } = parseBounded(text) as { readonly error?: unknown; readonly message?: unknown }
    return String(error ?? message ?? '')
  } catch {
    return text.trimStart().startsWith('<') ? '' : text
  }
}

/** True if a request is idempotent. An unconfirmed commit must not be repeated. */
const isIdempotent = (url: URL, method: string): boolean =>
  method === 'GET' || !/\/commit\/[^/]+$|\/api\/repos\/create$/.test(url.pathname)

function parseAnswer(url: URL, text: string): unknown {
  try {
    return parseBounded(text)
  } catch (error) {
    throw invalidResponse(url, `malformed JSON: ${printable((error as Error).message)}`)
  }
}

/** Creates the response for `@huggingface/hub`, whose JSON is parsed within limits and validated. */
function boundedResponse(
  response: Response,
  text: string,
  url: URL,
  inspect: (value: unknown) => void,
  { budget }: Connection,
) {
  const { status, headers } = response
  const link = headers.get('link') ?? ''
  if (link.length > MAXIMUM_LINK) throw invalidResponse(url, `a Link header of ${link.length} characters`)
  budget.spend(link.length ** 2 / 8) // the cost of the library's regular expression, which searches from each "<"
  const kept = new Headers(headers)
  kept.delete('content-encoding') // the body is already decoded
  const answer = new Response([204, 205].includes(status) ? null : text, { status, headers: kept })
  const json = async (): Promise<unknown> => {
    const value = parseAnswer(url, text)
    inspect(value)
    return value
  }
  return Object.assign(answer, { json })
}

async function ask(
  url: URL,
  init: Outgoing,
  reach: Reach,
  connection: Connection,
  inspect: Inspect | undefined,
): Promise<Attempt<Response>> {
  const repeat = isIdempotent(url, init.method ?? 'GET')
  try {
    const response = await send(url, init, reach, connection)
    const again = retryFor(response)
    if (again !== undefined && (repeat || response.status === 429)) {
      await response.body?.cancel()
      return again
    }
    const text = await readAnswer(response, url, connection)
    if (!response.ok) throw responseError(response, url, errorMessage(text))
    return { done: boundedResponse(response, text, url, (value) => inspect?.(url, value, init.body), connection) }
  } catch (error) {
    const ofTime = !repeat && isAttuneError(error) && error.code === 'HUB_UNREACHABLE'
    const fault = ofTime ? { retryReason: error.problem } : connectionFault(error, connection.signal)
    if (repeat) return fault
    throw new AttuneError(
      'HUB_UNREACHABLE',
      `${shown(url)} did not confirm the request: ${fault.retryReason}`,
      'Check in the repository whether it took effect; if not, repeat the command.',
      { cause: error },
    )
  }
}

/**
 * Creates a `fetch` for `@huggingface/hub`. That library would send the token along pages and redirects to any host,
 * makes a single attempt, reads responses of any length, and accepts only tokens that start with `hf_`. It therefore
 * receives no token, and all of this is done here.
 * @param inspect called with each JSON value before the library receives it
 */
export function fetchFor(reach: Reach, connection: Connection, inspect?: Inspect): typeof fetch {
  const shareOf = trackParts()
  return async (input, init = {}) => {
    const { offline, endpoint } = connection.settings
    if (!URL.canParse(String(input))) throw invalidResponse(endpoint, 'a malformed URL')
    const url = new URL(String(input))
    if (offline)
      throw new AttuneError(
        'HUB_OFFLINE',
        `${shown(url)} cannot be requested in offline mode`,
        'Unset HF_HUB_OFFLINE, or omit --offline.',
      )
    const { progressHint } = init as { readonly progressHint?: ProgressHint }
    const outgoing = { ...init, onShare: shareOf(progressHint) }
    return await retry(`the request to ${shown(url)}`, () => ask(url, outgoing, reach, connection, inspect), connection)
  }
}

/**
 * Awaits work of `@huggingface/hub` and converts its errors about invalid responses.
 * @throws AttuneError `HUB_BAD_ANSWER` for an invalid response
 */
export async function convertErrors<T>(work: Promise<T>, name: string, { settings, signal }: Connection): Promise<T> {
  return await work.catch((error: unknown) => {
    const { message, syscall } = error as NodeJS.ErrnoException
    if (isAttuneError(error) || signal.aborted || syscall !== undefined) throw error
    throw new AttuneError(
      'HUB_BAD_ANSWER',
      `invalid response of ${shown(settings.endpoint)} for ${name}: ${printable(message)}`,
      'Check that HF_ENDPOINT is the URL of a Hub.',
      { cause: error },
    )
  })
}
