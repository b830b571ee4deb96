import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { AttuneError } from '@attune/core'

/** What a user says about the Hub; what is left out comes from the environment, as for the Python library. */
export interface HubOptions {
  /** The address of the Hub. Default: `HF_ENDPOINT`, else https://huggingface.co. */
  readonly endpoint?: string
  /** The folder of the shared cache. Default: `HF_HUB_CACHE`, else `$HF_HOME/hub`, else `~/.cache/huggingface/hub`. */
  readonly cache?: string
  /** Whether only the cache may be used. Default: whether `HF_HUB_OFFLINE` is 1. */
  readonly offline?: boolean
  /** The environment's variables. Default: those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Where the Hub is, and what it may be told. */
export interface HubSettings {
  /** Without a slash at the end. */
  readonly endpoint: string
  /** Absolute. */
  readonly cache: string
  readonly offline: boolean
  /** Reads the user's token when it is about to be sent, so that it lies in no object that could be printed. */
  readonly token: () => string | undefined
}

type Environment = NonNullable<HubOptions['environment']>

const MAXIMUM_TOKEN_BYTES = 16_384

const expanded = (path: string): string => (/^~(?=$|[/\\])/.test(path) ? join(homedir(), path.slice(1)) : path)

/** The folder of the Hub's library: the cache and the token are in it where nothing else is said. */
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
    'the address of the Hub must be an http(s) URL without a user, a query and a fragment',
    'Write for example HF_ENDPOINT=https://huggingface.co, or unset HF_ENDPOINT.',
  )
}

/** A token as it may stand in a header. */
function checkedToken(given: string, source: string): string | undefined {
  const token = given.trim()
  if (token === '') return undefined
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new AttuneError(
    'BAD_HUB_TOKEN',
    `a token of the Hub has no spaces, line breaks or letters beyond ASCII in it, and that of ${source} has`,
    'Copy the token again from the settings of your account on the Hub.',
  )
}

/** Reads the beginning of a token file, without waiting for a named pipe. @throws AttuneError `BAD_HUB_TOKEN` */
function readBeginning(file: string): string {
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
      `the token of the Hub cannot be read from ${file}: ${(error as Error).message}`,
      'Check the file, or name another one: HF_TOKEN_PATH=FILE.',
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
  const text = readBeginning(file)
  return checkedToken(text.length > MAXIMUM_TOKEN_BYTES ? '\n?' : text, file)
}

/**
 * What the options and the environment say together.
 * @throws AttuneError `BAD_ENDPOINT`
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
