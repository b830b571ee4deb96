import { AttuneError } from '@attune/core'
import { redact } from './redact.js'

/** A model of the Hub at a revision. */
export interface ModelName {
  /** `organization/name`. */
  readonly name: string
  /** A branch, tag or commit; default: `main`. */
  readonly revision: string
}

const PART = /^(?![-.])[A-Za-z0-9_.-]{1,96}(?<![-.])$/
const COMMIT = /^[0-9a-f]{40}$/
/** Maximum length of a revision, which is a file name in the cache, on most file systems. */
const MAXIMUM_REVISION_BYTES = 255
const MAXIMUM_PATH_BYTES = 1024
const WINDOWS_DRIVE = /^[A-Za-z]:/

/** True if a revision is a full commit hash, whose content never changes. */
export const isCommit = (revision: string): boolean => COMMIT.test(revision)

/** Makes untrusted text printable: replaces control characters, which terminals interpret, and limits the length. */
export const printable = (text: string, maximumLength = 200): string =>
  text
    .slice(0, maximumLength)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '·')
    .toWellFormed()

/** Reason why a name is invalid, if it is. The Hub allows letters, digits, `-`, `_`, `.`, but neither `--` nor `..`. */
function faultInName(name: string): string | undefined {
  const parts = name.split('/')
  if (parts.length !== 2) return 'it does not have the form organization/name'
  if (!parts.every((part) => PART.test(part)))
    return 'each part must consist of at most 96 letters, digits, "-", "_" and ".", and must not start or end with "-" or "."'
  if (name.includes('--') || name.includes('..')) return 'it must not contain "--" or ".."'
  return name.endsWith('.git') ? 'it must not end with .git' : undefined
}

/** Reason why git does not allow a revision, if any: see git-check-ref-format. */
function faultInRevision(revision: string): string | undefined {
  if (revision === '') return 'the revision after "@" is empty'
  if (Buffer.byteLength(revision) > MAXIMUM_REVISION_BYTES)
    return `the revision is longer than ${MAXIMUM_REVISION_BYTES} bytes`
  if (!revision.isWellFormed()) return 'the revision is not valid Unicode'
  // eslint-disable-next-line no-control-regex -- characters that a revision must not contain
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|^[-./@]|[./]$/.test(revision))
    return 'the revision is not a valid name of a branch, tag or commit'
  return undefined
}

/**
 * Parses `organization/name` or `organization/name@revision`, by the Hub's own rules for names.
 * @throws AttuneError `BAD_MODEL_NAME` for an invalid name or revision
 *
 * @example
 * ```ts
 * import { parseModelName } from '@attune/hub'
 * console.log(parseModelName('google-bert/bert-base-uncased@v1')) // { name: 'google-bert/bert-base-uncased', revision: 'v1' }
 * ```
 */
export function parseModelName(text: string): ModelName {
  const at = text.indexOf('@')
  const name = at < 0 ? text : text.slice(0, at)
  const revision = at < 0 ? 'main' : text.slice(at + 1)
  const fault = faultInName(name) ?? faultInRevision(revision)
  if (fault === undefined) return { name, revision }
  throw new AttuneError(
    'BAD_MODEL_NAME',
    `expected a model id organization/name or organization/name@revision, got ${JSON.stringify(redact(printable(text)))}: ${fault}`,
    'Pass a model id, such as google-bert/bert-base-uncased or google-bert/bert-base-uncased@main.',
  )
}

/** True if a text is a well-formed model id of the Hub. Does not check that the model exists. */
export function isModelName(text: string): boolean {
  const at = text.indexOf('@')
  const name = at < 0 ? text : text.slice(0, at)
  return faultInName(name) === undefined && (at < 0 || faultInRevision(text.slice(at + 1)) === undefined)
}

/**
 * Validates the path of a file in a repository, which becomes a local path. Rejects paths that would leave the folder
 * on any operating system, because a cache may be read on another system.
 * @throws AttuneError `BAD_REPOSITORY_PATH` for an unsafe path
 */
export function checkedPath(path: string, where: string): string {
  const valid =
    Buffer.byteLength(path) <= MAXIMUM_PATH_BYTES &&
    path.isWellFormed() && // a lone surrogate can be neither sent nor written
    // eslint-disable-next-line no-control-regex -- characters that a path must not contain
    !/[\x00-\x1f\x7f\\]/.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !WINDOWS_DRIVE.test(part))
  if (valid) return path
  throw new AttuneError(
    'BAD_REPOSITORY_PATH',
    `expected a plain relative path of a repository file, got ${JSON.stringify(printable(path))} (${where})`,
    'Do not use this repository until its owner has explained the name.',
  )
}
