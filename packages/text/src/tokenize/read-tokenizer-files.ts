import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AttuneError } from '@attune/core'
import { readChatTemplates } from './chat-templates.js'
import { readOlderTokenizer } from './older/read-older-tokenizer.js'

const MAXIMUM_BYTES = 64 * 1024 * 1024

/** The files of a saved tokenizer. */
export interface TokenizerFiles {
  /** The path of the tokenizer.json, for errors. */
  readonly where: string
  /** The content of the `tokenizer.json`. */
  readonly json: unknown
  /** That of the tokenizer for texts that the model is to write, where it is another. */
  readonly target?: unknown
  /** The content of the `tokenizer_config.json` beside it; empty where there is none. */
  readonly config: Readonly<Record<string, unknown>>
}

function readJson(path: string): unknown {
  const refuse = (why: string): AttuneError =>
    new AttuneError(
      'BAD_TOKENIZER',
      `${path} cannot be read: ${why}`,
      'Fetch the file again, or leave `path` out to train one.',
    )
  const { size } = statSync(path)
  if (size > MAXIMUM_BYTES) throw refuse(`it has ${size} bytes, more than ${MAXIMUM_BYTES}`)
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw refuse((cause as Error).message)
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The file of the tokenizer for texts that the model is to write, where they are cut in another way than those it reads. */
export const TARGET_FILE = 'target_tokenizer.json'

function noFile(where: string): AttuneError {
  return new AttuneError(
    'FILE_NOT_FOUND',
    `there is no tokenizer file ${where}`,
    'Check `path`, or leave it out to train one.',
  )
}

/**
 * Reads the files of a tokenizer: a tokenizer.json, or what older checkpoints have instead of it. Chat templates in files of
 * their own go before what the configuration has.
 * @param path a tokenizer.json, or the folder that holds one, or the files of an older checkpoint
 * @throws AttuneError `FILE_NOT_FOUND`, `BAD_TOKENIZER`
 */
export function readTokenizerFiles(path: string): TokenizerFiles {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  const where = isFolder ? join(path, 'tokenizer.json') : path
  const beside = (name: string): string => join(dirname(where), name)
  const found = existsSync(beside('tokenizer_config.json')) ? readJson(beside('tokenizer_config.json')) : {}
  const config = isRecord(found) ? found : {}
  const template = readChatTemplates(dirname(where))
  const chat = template === undefined ? {} : { chat_template: template }
  if (!existsSync(where)) {
    const older = isFolder ? readOlderTokenizer(path, config) : undefined
    if (older === undefined) throw noFile(where)
    return { where: path, ...older, config: { ...older.config, ...chat } }
  }
  const target = existsSync(beside(TARGET_FILE)) ? { target: readJson(beside(TARGET_FILE)) } : {}
  return { where, json: readJson(where), ...target, config: { ...config, ...chat } }
}
