import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { AttuneError } from '@attune/core'

/** Options for the Hub; defaults come from the environment, as in the Python library. */
export interface HubOptions {
  /** URL of the Hub. Default: `HF_ENDPOINT`, else https://huggingface.co. */
  readonly endpoint?: string
  /** Folder of the shared cache. Default: `HF_HUB_CACHE`, else `$HF_HOME/hub`, else `~/.cache/huggingface/hub`. */
  readonly cache?: string
  /** True to use only the cache. Default: true if `HF_HUB_OFFLINE` is 1. */
  readonly offline?: boolean
  /** Environment variables. Default: those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Resolved settings of the Hub. */
export interface HubSettings {
  /** URL of the Hub, without a trailing slash. */
  readonly endpoint: string
  /** Absolute path of the cache. */
  readonly cache: string
  readonly offline: boolean
  /** Reads the user's token just before it is sent, so that no printable object holds it. */
  readonly token: () => string | undefined
}

type Environment = NonNullable<HubOptions['environment']>

const MAXIMUM_TOKEN_BYTES = 16_384

const expanded = (path: string): string => (/^~(?=$|[/\\])/.test(path) ? join(homedir(), path.slice(1)) : path)

/** Home folder of the Python library, the default location of the cache and the token. */
function hubHome(environment: Environment): string {
  const { HF_HOME: home, XDG_CACHE_HOME: caches } = environment
  return expanded(home || join(caches || join('~', '.cache'), 'huggingface'))
}

const isTrue = (value: string | undefined): boolean => /^(1|on|yes|true)$/i.test(value ?? '')

function checkedEndpoint(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === '')
    return given.replace(/\/+$/, '')
  throw new AttuneError(
    'BAD_ENDPOINT',
    'invalid Hub endpoint: expected an http(s) URL without user, query and fragment',
    'Set HF_ENDPOINT=https://huggingface.co or the URL of a mirror, or unset HF_ENDPOINT.',
  )
}

/** Validates a token for use in a header. */
function checkedToken(given: string, source: string): string | undefined {
  const token = given.trim()
  if (token === '') return undefined
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new AttuneError(
    'BAD_HUB_TOKEN',
    `the Hub token of ${source} contains spaces, line breaks or non-ASCII characters`,
    'Copy the token again from the settings of your Hub account.',
  )
}

/** Reads the start of a token file, without waiting for a named pipe. @throws AttuneError `BAD_HUB_TOKEN` */
function readStart(file: string): string {
  try {
    const handle = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const bytes = Buffer.alloc(MAXIMUM_TOKEN_BYTES + 1)
      return bytes.toString('utf8', 0, readSync(handle, bytes))
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    throw new AttuneError(
      'BAD_HUB_TOKEN',
      `cannot read the Hub token from ${file}: ${(error as Error).message}`,
      'Check the file, or set another one: HF_TOKEN_PATH=FILE.',
      { cause: error },
    )
  }
}

function readToken(environment: Environment): string | undefined {
  for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) {
    const token = checkedToken(environment[name] ?? '', name)
    if (token !== undefined) return token
  }
  const file = expanded(environment['HF_TOKEN_PATH'] || join(hubHome(environment), 'token'))
  if (!existsSync(file)) return undefined
  const text = readStart(file)
  return checkedToken(text.length > MAXIMUM_TOKEN_BYTES ? '\n?' : text, file)
}

/**
 * Resolves the settings from options and environment.
 * @throws AttuneError `BAD_ENDPOINT` for an invalid URL
 */
export function hubSettings(options: HubOptions = {}): HubSettings {
  const environment = options.environment ?? process.env
  const cache = environment['HF_HUB_CACHE'] || environment['HUGGINGFACE_HUB_CACHE'] || join(hubHome(environment), 'hub')
  return {
    endpoint: checkedEndpoint(options.endpoint ?? (environment['HF_ENDPOINT'] || 'https://huggingface.co')),
    cache: resolve(expanded(options.cache ?? cache)),
    offline: options.offline ?? (isTrue(environment['HF_HUB_OFFLINE']) || isTrue(environment['TRANSFORMERS_OFFLINE'])),
    token: () => readToken(environment),
  }
}
