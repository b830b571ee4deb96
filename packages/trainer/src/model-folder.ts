import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type AnyPlugin, AttuneError, type SearchPlaces, TOKENIZER, type Tokenizer, findPlugin } from '@attune/core'
import { openWeights } from '@attune/nn'
import { ggufTokenizer, modelTypeOf, readTokenizerFiles } from '@attune/text'

/** Files that describe a model are small; weights are read elsewhere. */
const MAXIMUM_BYTES = 10_000_000

/** How a model writes. */
export const GENERATION = 'generation_config.json'

function readJson(folder: string, name: string): Record<string, unknown> {
  const file = join(folder, name)
  if (!existsSync(file))
    throw new AttuneError(
      'FILE_NOT_FOUND',
      `there is no ${name} in ${folder}`,
      'Name a folder in the layout of the Hugging Face library: config.json, model.safetensors, tokenizer.json.',
    )
  const refuse = (why: string): AttuneError =>
    new AttuneError('BAD_MODEL_FOLDER', `${file} cannot be used: ${why}`, 'Fetch or save the model again.')
  const { size } = statSync(file)
  if (size > MAXIMUM_BYTES) throw refuse(`it has ${size} bytes, and ${MAXIMUM_BYTES} are allowed`)
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (cause) {
    throw refuse((cause as Error).message)
  }
  throw refuse('it is not a JSON object')
}

/** Whether a model plugin reads checkpoints of a type: its name, or one of the values of its option `modelType`. */
export const readsType = (plugin: AnyPlugin, type: string): boolean => {
  const members = plugin.options.shape['modelType'] as { safeParse(value: unknown): { success: boolean } } | undefined
  return members === undefined ? plugin.name === type : members.safeParse(type).success
}

/** The tokenizer plugin is called as the algorithm in the file (wordpiece, bpe, unigram), or by what its words are. */
function tokenizerPlugin(json: unknown, where: string, places: SearchPlaces) {
  const type = modelTypeOf(json)
  if (type === undefined)
    throw new AttuneError(
      'BAD_TOKENIZER',
      `${where} does not tell the type of its model`,
      'Fetch the file again, or save the tokenizer with the tokenizers library.',
    )
  const cut = JSON.stringify((json as Readonly<Record<string, unknown>>)['pre_tokenizer'] ?? null)
  const words = cut.includes('"CharacterNGrams"') ? 'character-ngram' : 'word'
  return findPlugin(TOKENIZER, type === 'WordLevel' ? words : type.toLowerCase(), places)
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
