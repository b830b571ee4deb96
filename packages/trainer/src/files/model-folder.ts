import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type AnyPlugin, AttuneError, TOKENIZER, type Tokenizer, fileName, isRecord } from '@attune/core'
import { type SearchPaths, findInstalled, findReader } from '@attune/resolve'
import { readJsonObject } from '@attune/files'
import { openWeights } from '@attune/weights/node'
import { ggufTokenizer, modelTypeOf, readTokenizerFiles } from '@attune/text'

/** Size limit of a model's JSON files; weights are read elsewhere. */
const MAXIMUM_BYTES = 10_000_000

/** File of a model's generation settings. */
export const GENERATION = 'generation_config.json'

function readJson(folder: string, name: string): Record<string, unknown> {
  const file = join(folder, name)
  const refuse = (why: string): AttuneError =>
    new AttuneError('BAD_MODEL_FOLDER', `${file} cannot be used: ${why}`, 'Download or save the model again.')
  const content = readJsonObject(file, MAXIMUM_BYTES, refuse)
  if (content !== undefined) return content
  throw new AttuneError(
    'FILE_NOT_FOUND',
    `expected ${name} in ${folder}, got none`,
    'Use a folder in the Hugging Face file layout: config.json, model.safetensors, tokenizer.json.',
  )
}

/** True if a model plugin reads models of a type: its name, or a value of its option `modelType`. */
export const readsType = (plugin: AnyPlugin, type: string): boolean => {
  const members = plugin.options.shape['modelType'] as { safeParse(value: unknown): { success: boolean } } | undefined
  return members === undefined ? plugin.name === type : members.safeParse(type).success
}

/** True if a `tokenizer.json` splits words into character n-grams, which its model type does not show. */
function splitsIntoNGrams(json: unknown): boolean {
  const step = isRecord(json) ? json['pre_tokenizer'] : undefined
  const steps = isRecord(step) && Array.isArray(step['pretokenizers']) ? (step['pretokenizers'] as unknown[]) : [step]
  return steps.some((each) => isRecord(each) && each['type'] === 'CharacterNGrams')
}

/**
 * Finds the installed plugin for a tokenizer. The type in the file is untrusted data: it only selects among the installed plugins by
 * their package metadata.
 */
export async function tokenizerPlugin(json: unknown, where: string, searchPaths: SearchPaths): Promise<AnyPlugin> {
  const type = modelTypeOf(json)
  const refuse = (why: string, remedy: string): AttuneError =>
    new AttuneError('BAD_TOKENIZER', `${where} ${why}`, remedy)
  if (type === undefined)
    throw refuse(
      'has no tokenizer model type',
      'Download the file again, or save the tokenizer with the tokenizers library.',
    )
  if (splitsIntoNGrams(json)) return (await findInstalled(TOKENIZER, fileName('character-ngram'), searchPaths)).plugin
  const found = await findReader(TOKENIZER, fileName(type), searchPaths)
  if (found !== undefined) return found.plugin
  throw refuse(
    `has the tokenizer type ${JSON.stringify(type.slice(0, 80))}, which no installed plugin reads`,
    'Install the matching plugin (wordpiece, bpe, unigram or word), for example: npm install @attune/tokenizer-bpe',
  )
}

/** Configuration and tokenizer of a model's folder or file, without its weights. */
export interface ModelDescription {
  readonly config: Readonly<Record<string, unknown>>
  /** Generation settings: the content of generation_config.json, if there is one. */
  readonly generation: Readonly<Record<string, unknown>> | undefined
  readonly tokenizer: (searchPaths: SearchPaths) => Promise<Tokenizer>
}

/** Describes a model from the metadata of its GGUF file; undefined if these have no configuration. */
function describedByGguf(path: string): Omit<ModelDescription, 'generation'> | undefined {
  const reader = openWeights(path)
  const { config, metadata, where } = reader
  reader.close()
  if (config === undefined) return undefined
  return {
    config,
    async tokenizer(searchPaths) {
      const own = ggufTokenizer(metadata, where)
      return (await tokenizerPlugin(own.json, where, searchPaths))({ json: own.json, config: own.config }) as Tokenizer
    },
  }
}

/**
 * Reads the configuration and the tokenizer of a folder in the Hugging Face file layout, or of a GGUF file. Legacy tokenizer files are
 * supported. A `tokenizer.json` next to a GGUF file takes precedence over the file's metadata.
 * @throws AttuneError `FILE_NOT_FOUND`, `BAD_MODEL_FOLDER`, `BAD_GGUF`
 */
export function describeModel(path: string): ModelDescription {
  const folder = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path
  const fromFolder = async (searchPaths: SearchPaths): Promise<Tokenizer> => {
    const { json, where } = readTokenizerFiles(folder)
    return (await tokenizerPlugin(json, where, searchPaths))({ path: folder }) as Tokenizer
  }
  const isThere = (name: string): boolean => existsSync(join(folder, name))
  const gguf =
    path.endsWith('.gguf') ||
    (existsSync(path) && !isThere('config.json') && readdirSync(path).some((name) => name.endsWith('.gguf')))
  const described = gguf ? describedByGguf(path) : undefined
  const tokenizer = described === undefined || isThere('tokenizer.json') ? fromFolder : described.tokenizer
  const generation = isThere(GENERATION) ? readJson(folder, GENERATION) : undefined
  return { config: described?.config ?? readJson(folder, 'config.json'), generation, tokenizer }
}
