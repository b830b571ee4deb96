import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AttuneError, isRecord } from '@attune/core'
import { readChatTemplates } from './chat-templates.js'
import { olderVocabulary, readOlderTokenizer } from './older/read-older-tokenizer.js'
import { lowercased, lowercasesTexts } from './lowercased.js'
import { insideOf, readJsonFile } from './regular-file.js'
import { withAddedTokensFile, withSideFiles } from './side-files.js'
import { TARGET_FILE, type TokenizerFiles } from './tokenizer-files.js'

/** Maximum size in bytes of a tokenizer.json and of a tokenizer_config.json; the latter is saved unchanged with the model. */
const [MAXIMUM_BYTES, MAXIMUM_CONFIG_BYTES] = [64 * 1024 * 1024, 8 * 1024 * 1024]

const refuse = (path: string, why: string): never => {
  throw new AttuneError(
    'BAD_TOKENIZER',
    `${path} cannot be read: ${why}`,
    'Fetch the file again, or omit `path` to train a tokenizer.',
  )
}

const readJson = (path: string, mostBytes: number): unknown => readJsonFile(path, mostBytes, (why) => refuse(path, why))

function noFile(where: string): AttuneError {
  return new AttuneError(
    'FILE_NOT_FOUND',
    `found no tokenizer file ${where}`,
    'Check `path`, or omit it to train a tokenizer.',
  )
}

/**
 * Reads the files of a tokenizer: a tokenizer.json with the files beside it, or the files of an older checkpoint without one. Chat
 * templates in separate files take precedence over those of the configuration. A sentence-transformers model that lowercases texts gets a
 * normalization step that does.
 * @param path a tokenizer.json, or a folder with one or with the files of an older checkpoint
 * @throws AttuneError `FILE_NOT_FOUND`, `BAD_TOKENIZER`
 */
export function readTokenizerFiles(path: string): TokenizerFiles {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  const where = isFolder ? join(path, 'tokenizer.json') : path
  const folder = dirname(where)
  const vocabulary = existsSync(where) ? where : isFolder ? olderVocabulary(path) : undefined
  if (vocabulary === undefined) throw noFile(where)
  const requireInside = insideOf(folder, vocabulary)
  const configAt = join(folder, 'tokenizer_config.json')
  const hasConfig = existsSync(configAt)
  if (hasConfig) requireInside(configAt, (why) => refuse(configAt, why))
  const found = hasConfig ? readJson(configAt, MAXIMUM_CONFIG_BYTES) : {}
  const config = isRecord(found) ? found : {}
  const template = readChatTemplates({ folder, requireInside, refuse })
  const chat = template === undefined ? {} : { chat_template: template }
  const asRead = (json: unknown): unknown => (lowercasesTexts(folder, refuse) ? lowercased(json) : json)
  const side = { path: folder, requireInside, refuse }
  if (vocabulary !== where) {
    const older = readOlderTokenizer(path, config, requireInside)
    const beside = withAddedTokensFile(older.config, older.json, side)
    return { where: path, ...older, json: asRead(older.json), config: { ...beside, ...chat } }
  }
  const targetAt = join(folder, TARGET_FILE)
  const target = existsSync(targetAt) ? { target: readJson(targetAt, MAXIMUM_BYTES) } : {}
  const json = readJson(where, MAXIMUM_BYTES)
  return { where, json: asRead(json), ...target, config: { ...withSideFiles(config, json, side), ...chat } }
}
