import { AttuneError } from '@attune/core'
import { redact } from './redact.js'

/** A model of the Hub at a revision. */
export interface ModelName {
  /** `organization/name`. */
  readonly name: string
  /** A branch, a tag, or a commit; `main` where none is written. */
  readonly revision: string
}

const PART = /^(?![-.])[A-Za-z0-9_.-]{1,96}(?<![-.])$/
const COMMIT = /^[0-9a-f]{40}$/
/** A revision is the name of a file in the cache; most file systems allow this length. */
const MAXIMUM_REVISION_BYTES = 255
const MAXIMUM_PATH_BYTES = 1024
const WINDOWS_DRIVE = /^[A-Za-z]:/

/** Whether a revision is a whole commit hash, whose content never changes. */
export const isCommit = (revision: string): boolean => COMMIT.test(revision)

/** Text of outsiders, safe to print: no control characters, which terminals obey, and not long. */
export const printable = (text: string, maximumLength = 200): string =>
  text
    .slice(0, maximumLength)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '·')
    .toWellFormed()

/** Why the Hub would not take a name, if so: its rules are letters, digits, `-`, `_`, `.`, and neither `--` nor `..`. */
function faultInName(name: string): string | undefined {
  const parts = name.split('/')
  if (parts.length !== 2) return 'it is not of the form organization/name'
  if (!parts.every((part) => PART.test(part)))
    return 'its parts are letters, digits, "-", "_" and "." (at most 96), and begin and end with neither "-" nor "."'
  if (name.includes('--') || name.includes('..')) return '"--" and ".." may not be in it'
  return name.endsWith('.git') ? 'it ends in .git' : undefined
}

/** Why a revision is no name that git could have, if so: see git-check-ref-format. */
function faultInRevision(revision: string): string | undefined {
  if (revision === '') return 'the revision after "@" is empty'
  if (Buffer.byteLength(revision) > MAXIMUM_REVISION_BYTES)
    return `the revision is longer than ${MAXIMUM_REVISION_BYTES} bytes`
  if (!revision.isWellFormed()) return 'the revision is not valid Unicode'
  // eslint-disable-next-line no-control-regex -- these are what a revision may not hold
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|^[-./@]|[./]$/.test(revision))
    return 'the revision is no name of a branch, a tag or a commit'
  return undefined
}

/**
 * Reads `organization/name` or `organization/name@revision`, by the Hub's own rules for names.
 * @throws AttuneError `BAD_MODEL_NAME`
 */
export function parseModelName(text: string): ModelName {
  const at = text.indexOf('@')
  const name = at < 0 ? text : text.slice(0, at)
  const revision = at < 0 ? 'main' : text.slice(at + 1)
  const fault = faultInName(name) ?? faultInRevision(revision)
  if (fault === undefined) return { name, revision }
  throw new AttuneError(
    'BAD_MODEL_NAME',
    `a model of the Hub is written organization/name or organization/name@revision, got ${JSON.stringify(redact(printable(text)))}: ${fault}`,
    'For example: google-bert/bert-base-uncased, or google-bert/bert-base-uncased@main.',
  )
}

/** Whether a text could be the name of a model of the Hub, by its form alone. */
export function isModelName(text: string): boolean {
  const at = text.indexOf('@')
  const name = at < 0 ? text : text.slice(0, at)
  return faultInName(name) === undefined && (at < 0 || faultInRevision(text.slice(at + 1)) === undefined)
}

/**
 * A file's path in a repository, which becomes one on this disk: refused where it would lead out of its folder on any
 * system, since a cache filled here may be read there.
 * @throws AttuneError `BAD_REPOSITORY_PATH`
 */
export function checkedPath(path: string, where: string): string {
  const sound =
    Buffer.byteLength(path) <= MAXIMUM_PATH_BYTES &&
    path.isWellFormed() && // half of a surrogate pair can be neither sent nor written
    // eslint-disable-next-line no-control-regex -- these are what a path may not hold
    !/[\x00-\x1f\x7f\\]/.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !WINDOWS_DRIVE.test(part))
  if (sound) return path
  throw new AttuneError(
    'BAD_REPOSITORY_PATH',
    `a file of a repository must have a plain relative path, got ${JSON.stringify(printable(path))} (${where})`,
    'Do not use this repository before its owner has explained the name.',
  )
}
