import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isRecord } from '@attune/core'
import { ROLES, contentOf, modelTokens, moreTokens } from './config-tokens.js'
import { type RequireInside, readJsonFile } from './regular-file.js'

type Json = Readonly<Record<string, unknown>>

/** Folder of a tokenizer.json, and the error for a file in it that cannot be used. */
interface Folder {
  readonly path: string
  readonly requireInside: RequireInside
  refuse(path: string, why: string): never
}

/** Maximum size of a file in bytes. */
const MAXIMUM_BYTES = 8 * 1024 * 1024

/** Content of a JSON file; empty if there is none. */
function read({ path, requireInside, refuse }: Folder, name: string): Json {
  const file = join(path, name)
  if (!existsSync(file)) return {}
  requireInside(file, (why) => refuse(file, why))
  const content = readJsonFile(file, MAXIMUM_BYTES, (why) => refuse(file, why))
  return isRecord(content) ? content : refuse(file, 'expected an object')
}

/** Added tokens of a tokenizer.json by id. */
function tokensById(json: unknown): Json {
  const added: unknown = isRecord(json) ? json['added_tokens'] : undefined
  return Object.fromEntries(
    (Array.isArray(added) ? (added as unknown[]) : []).flatMap((token) =>
      isRecord(token) && typeof token['id'] === 'number' ? [[token['id'], token]] : [],
    ),
  )
}

/** Tokens of an `added_tokens.json`, as in the field `added_tokens_decoder`. */
function olderTokens(folder: Folder, config: Json): Json {
  const special = new Set([...ROLES.map((role) => config[role]), ...modelTokens(config)].map(contentOf))
  return Object.fromEntries(
    Object.entries(read(folder, 'added_tokens.json')).map(([content, id]) => [
      typeof id === 'number' ? id : `added_tokens.json: ${content.slice(0, 40)}`,
      { content, special: special.has(content) },
    ]),
  )
}

/**
 * A configuration with the tokens of an `added_tokens.json`, if it has no `added_tokens_decoder`; those of the tokenizer.json take
 * precedence.
 */
export function withAddedTokensFile(config: Json, json: unknown, folder: Folder): Json {
  if (config['added_tokens_decoder'] !== undefined) return config
  const added = olderTokens(folder, config)
  const isEmpty = Object.keys(added).length === 0
  return isEmpty ? config : { ...config, added_tokens_decoder: { ...added, ...tokensById(json) } }
}

/**
 * The configuration of a tokenizer.json together with the older files beside it, which transformers reads if the configuration has
 * no `added_tokens_decoder`: `special_tokens_map.json`, which takes precedence, and `added_tokens.json`.
 */
export function withSideFiles(config: Json, json: unknown, folder: Folder): Json {
  if (config['added_tokens_decoder'] !== undefined) return config
  const { additional_special_tokens: more, ...map } = read(folder, 'special_tokens_map.json')
  const listed = more === undefined || moreTokens(config) !== undefined ? {} : { additional_special_tokens: more }
  return withAddedTokensFile({ ...config, ...map, ...listed }, json, folder)
}
