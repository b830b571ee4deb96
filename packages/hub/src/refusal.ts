import { AttuneError } from '@attune/core'
import { printable } from './model-name.js'

/** An address without its query, which may be a signature that opens it. */
export const shown = (url: URL | string): string => printable(String(url).replace(/[?#].*$/s, ''))

/** The error for what a Hub would not answer. */
export const badAnswer = (url: URL | string, why: string): AttuneError =>
  new AttuneError('HUB_BAD_ANSWER', `${shown(url)} answered what the Hub would not: ${why}`, 'Check HF_ENDPOINT.')

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
