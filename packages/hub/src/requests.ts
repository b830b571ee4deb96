import { AttuneError, isAttuneError } from '@attune/core'
import { parseBounded } from './bounded-json.js'
import type { Connection } from './connection.js'
import { againFor, connectionFault } from './connection-fault.js'
import { printable } from './model-name.js'
import { type Attempt, persist } from './pauses.js'
import { type Outgoing, type ProgressHint, trackParts } from './put-blob.js'
import { readAnswer } from './read-body.js'
import { badAnswer, refusal, shown } from './refusal.js'
import { type Reach, send } from './send.js'

/** Checks the parsed value of an answer, given the body of the request, before `@huggingface/hub` uses it. */
export type Inspect = (url: URL, value: unknown, body: unknown) => void

/** Maximum length of a `Link` header; real ones have a few hundred characters. */
const MAXIMUM_LINK = 4096

/** The message in the body of an error. */
function complaint(text: string): string {
  try {
    const { error, message } = parseBounded(text) as { readonly error?: unknown; readonly message?: unknown }
    return String(error ?? message ?? '')
  } catch {
    return text.trimStart().startsWith('<') ? '' : text
  }
}

/** Whether asking twice does no more than asking once. A commit that was made and not confirmed must not be made again. */
const repeatable = (url: URL, method: string): boolean =>
  method === 'GET' || !/\/commit\/[^/]+$|\/api\/repos\/create$/.test(url.pathname)

function parsed(url: URL, text: string): unknown {
  try {
    return parseBounded(text)
  } catch (error) {
    throw badAnswer(url, `malformed JSON: ${printable((error as Error).message)}`)
  }
}

/** Makes the answer for `@huggingface/hub`, whose JSON is parsed within limits and inspected. */
function answerOf(
  response: Response,
  text: string,
  url: URL,
  inspect: (value: unknown) => void,
  { budget }: Connection,
) {
  const { status, headers } = response
  const link = headers.get('link') ?? ''
  if (link.length > MAXIMUM_LINK) throw badAnswer(url, `a list of links of ${link.length} characters`)
  budget.spend(link.length ** 2 / 8) // the cost of the library's regular expression, which searches from each "<"
  const kept = new Headers(headers)
  kept.delete('content-encoding') // the body is decoded by now
  const answer = new Response([204, 205].includes(status) ? null : text, { status, headers: kept })
  const json = async (): Promise<unknown> => {
    const value = parsed(url, text)
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
  const repeat = repeatable(url, init.method ?? 'GET')
  try {
    const response = await send(url, init, reach, connection)
    const again = againFor(response)
    if (again !== undefined && (repeat || response.status === 429)) {
      await response.body?.cancel()
      return again
    }
    const text = await readAnswer(response, url, connection)
    if (!response.ok) throw refusal(response, url, complaint(text))
    return { done: answerOf(response, text, url, (value) => inspect?.(url, value, init.body), connection) }
  } catch (error) {
    const ofTime = !repeat && isAttuneError(error) && error.code === 'HUB_UNREACHABLE'
    const fault = ofTime ? { again: error.problem } : connectionFault(error, connection.signal)
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
 * @param inspect called with each JSON value before the library gets it
 */
export function fetchFor(reach: Reach, connection: Connection, inspect?: Inspect): typeof fetch {
  const shareOf = trackParts()
  return async (input, init = {}) => {
    const { offline, endpoint } = connection.settings
    if (!URL.canParse(String(input))) throw badAnswer(endpoint, 'a malformed URL')
    const url = new URL(String(input))
    if (offline)
      throw new AttuneError(
        'HUB_OFFLINE',
        `${shown(url)} may not be asked: the Hub is switched off`,
        'Unset HF_HUB_OFFLINE, or leave out --offline.',
      )
    const { progressHint } = init as { readonly progressHint?: ProgressHint }
    const outgoing = { ...init, onShare: shareOf(progressHint) }
    return await persist(`asking ${shown(url)}`, () => ask(url, outgoing, reach, connection, inspect), connection)
  }
}

/**
 * Awaits work of `@huggingface/hub` and converts its errors about answers that it does not understand.
 * @throws AttuneError `HUB_BAD_ANSWER`
 */
export async function understood<T>(work: Promise<T>, name: string, { settings, signal }: Connection): Promise<T> {
  return await work.catch((error: unknown) => {
    const { message, syscall } = error as NodeJS.ErrnoException
    if (isAttuneError(error) || signal.aborted || syscall !== undefined) throw error
    throw new AttuneError(
      'HUB_BAD_ANSWER',
      `${shown(settings.endpoint)} answered of ${name} what the Hub would not: ${printable(message)}`,
      'Check HF_ENDPOINT.',
      { cause: error },
    )
  })
}
