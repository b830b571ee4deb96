import { isAttuneError } from '@attune/core'
import { printable } from './model-name.js'
import { type Retry, retryAfterSeconds } from './pauses.js'

const TRY_AGAIN = new Set([408, 429, 500, 502, 503, 504])
const CONNECTION_ERRORS = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR|HPE_)/
/** Local errors that `fetch` reports as connection errors. */
const OWN_ERRORS = /^E[MN]FILE$/

/** Creates the error of a failed connection, in the shape of the errors of `fetch`. */
export const connectionError = (cause: unknown): Error =>
  new TypeError('the connection failed', { cause: typeof cause === 'string' ? new Error(cause) : cause })

/** Returns the reason to retry after a failed connection. @throws any other error, unchanged */
export function connectionFault(error: unknown, signal: AbortSignal): Retry {
  if (isAttuneError(error) || signal.aborted) throw error
  const { name, cause } = error as Error
  const { code = '', message: why } = (cause ?? error) as NodeJS.ErrnoException
  if (OWN_ERRORS.test(code)) throw cause ?? error
  const ofFetch = name === 'TypeError' && cause !== undefined
  if (!ofFetch && !CONNECTION_ERRORS.test(code)) throw error
  return { retryReason: printable(code === '' ? why : code) }
}

/** Returns the reason to retry after a response, if its status allows it. */
export const retryFor = (response: Response): Retry | undefined =>
  TRY_AGAIN.has(response.status)
    ? {
        retryReason: `status ${response.status}`,
        afterSeconds: retryAfterSeconds(response.headers.get('retry-after')),
      }
    : undefined
