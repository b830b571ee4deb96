import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type AnyPlugin, AttuneError, TOKENIZER, type Tokenizer, fileName, isRecord } from '@attune/core'
import { type SearchPlaces, findInstalled, findReader } from '@attune/resolve'
import { readJsonObject } from '@attune/files'
import { openWeights } from '@attune/weights/node'
import { ggufTokenizer, modelTypeOf, readTokenizerFiles } from '@attune/text'

/** Files that describe a model are small; weights are read elsewhere. */
const MAXIMUM_BYTES = 10_000_000

/** How a model writes. */
export const GENERATION = 'generation_config.json'

function readJson(folder: string, name: string): Record<string, unknown> {
  const file = join(folder, name)
  const refuse = (why: string): AttuneError =>
    new AttuneError('BAD_MODEL_FOLDER', `${file} cannot be used: ${why}`, 'Fetch or save the model again.')
  const content = readJsonObject(file, MAXIMUM_BYTES, refuse)
  if (content !== undefined) return content
  throw new AttuneError(
    'FILE_NOT_FOUND',
    `there is no ${name} in ${folder}`,
    'Name a folder in the layout of the Hugging Face library: config.json, model.safetensors, tokenizer.json.',
  )
}

/** Whether a model plugin reads checkpoints of a type: its name, or one of the values of its option `modelType`. */
export const readsType = (plugin: AnyPlugin, type: string): boolean => {
  const members = plugin.options.shape['modelType'] as { safeParse(value: unknown): { success: boolean } } | undefined
  return members === undefined ? plugin.name === type : members.safeParse(type).success
}

/** True if a `tokenizer.json` splits words into character n-grams, which its model's type does not tell. */
function splitsIntoNGrams(json: unknown): boolean {
  const step = isRecord(json) ? json['pre_tokenizer'] : undefined
  const steps = isRecord(step) && Array.isArray(step['pretokenizers']) ? (step['pretokenizers'] as unknown[]) : [step]
  return steps.some((each) => isRecord(each) && each['type'] === 'CharacterNGrams')
}

/**
 * Finds the installed plugin that reads a tokenizer. The type in the file is data: it chooses among installed plugins by what their
 * packages declare, and nothing else is looked up by it.
 */
export async function tokenizerPlugin(json: unknown, where: string, places: SearchPlaces): Promise<AnyPlugin> {
  const type = modelTypeOf(json)
  const refuse = (why: string, remedy: string): AttuneError =>
    new AttuneError('BAD_TOKENIZER', `${where} ${why}`, remedy)
  if (type === undefined)
    throw refuse(
      'does not tell the type of its model',
      'Fetch the file again, or save the tokenizer with the tokenizers library.',
    )
  if (splitsIntoNGrams(json)) return (await findInstalled(TOKENIZER, fileName('character-ngram'), places)).plugin
  const found = await findReader(TOKENIZER, fileName(type), places)
  if (found !== undefined) return found.plugin
  throw refuse(
    `has a tokenizer of type ${JSON.stringify(type.slice(0, 80))}, and no installed plugin reads it`,
    'Install the plugin that does: wordpiece, bpe, unigram or word, as in npm install @attune/tokenizer-bpe.',
  )
}

/** What a folder or a file holds besides the weights. */
export interface ModelDescription {
  readonly config: Readonly<Record<string, unknown>>
  /** How it writes, where a generation_config.json says so. */
  readonly generation: Readonly<Record<string, unknown>> | undefined
  readonly tokenizer: (places: SearchPlaces) => Promise<Tokenizer>
}

/** What the metadata of a GGUF file tell; a tokenizer.json beside it goes before them. */
function describedByGguf(path: string): Omit<ModelDescription, 'generation'> | undefined {
  const reader = openWeights(path)
  const { config, metadata, where } = reader
  reader.close()
  if (config === undefined) return undefined
  return {
    config,
    async tokenizer(places) {
      const own = ggufTokenizer(metadata, where)
      return (await tokenizerPlugin(own.json, where, places))({ json: own.json, config: own.config }) as Tokenizer
    },
  }
}

/**
 * The configuration and the tokenizer of a folder in the layout of the Hugging Face library, or of a GGUF file. A tokenizer may
 * stand in the files of an older checkpoint, too.
 * @throws AttuneError `FILE_NOT_FOUND`, `BAD_MODEL_FOLDER`, `BAD_GGUF`
 */
export function describeModel(path: string): ModelDescription {
  const folder = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path
  const fromFolder = async (places: SearchPlaces): Promise<Tokenizer> => {
    const { json, where } = readTokenizerFiles(folder)
    return (await tokenizerPlugin(json, where, places))({ path: folder }) as Tokenizer
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
