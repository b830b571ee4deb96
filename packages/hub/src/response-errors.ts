import { AttuneError } from '@attune/core'
import { printable } from './model-name.js'

/** Printable URL without its query, which may contain a signature. */
export const shown = (url: URL | string): string => printable(String(url).replace(/[?#].*$/s, ''))

/** Returns the error for an invalid response. */
export const invalidResponse = (url: URL | string, why: string): AttuneError =>
  new AttuneError(
    'HUB_BAD_ANSWER',
    `invalid response of ${shown(url)}: ${why}`,
    'Check that HF_ENDPOINT is the URL of a Hub.',
  )

/** Returns the error for a response with an error status. */
export function responseError(response: Response, url: URL | string, said: string): AttuneError {
  const { status } = response
  const reason = printable(response.headers.get('x-error-message') ?? said)
  const problem = `${shown(url)} answered ${status}${reason === '' ? '' : `: ${reason}`}`
  const code = response.headers.get('x-error-code')
  if (code === 'GatedRepo')
    return new AttuneError(
      'HUB_FORBIDDEN',
      problem,
      'Accept the terms on the page of the model, and set a token of that account: HF_TOKEN=….',
    )
  if (status === 404 || code === 'RepoNotFound' || code === 'RevisionNotFound')
    return new AttuneError(
      'HUB_NOT_FOUND',
      problem,
      'Check the name and the revision. For a private model, set a token with read access: HF_TOKEN=….',
    )
  if (status === 401 || status === 403)
    return new AttuneError(
      'HUB_FORBIDDEN',
      problem,
      'Set a token with the required permission: HF_TOKEN=…. Check existing tokens in the settings of your account.',
    )
  if (status === 409 || status === 412)
    return new AttuneError(
      'HUB_CONFLICT',
      problem,
      'Review the changes that someone else made to the repository, and repeat the command.',
    )
  return invalidResponse(url, `status ${status}${reason === '' ? '' : `, ${reason}`}`)
}
