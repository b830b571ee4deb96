import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type AnyPlugin,
  AttuneError,
  ENGINE,
  type Engine,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type Params,
  type SearchPlaces,
  TOKENIZER,
  type Tokenizer,
  findPlugin,
  installedPlugins,
} from '@attune/core'
import { openWeights, optionsFromConfig } from '@attune/nn'
import { ggufTokenizer } from '@attune/text'
import { chooseEngine } from './choose-engine.js'
import { savedParameters } from './weights.js'

/** Files that describe a model are small; weights are read elsewhere. A tokenizer's may hold a large vocabulary. */
const MAXIMUM_BYTES = { 'config.json': 10_000_000, 'tokenizer.json': 100_000_000 }

/** A model from a folder in the layout of the Hugging Face library, ready for use. */
export interface Pretrained {
  readonly engine: Engine
  readonly model: Model
  readonly tokenizer: Tokenizer
  readonly objective: Objective
  /** The parameters, head and all. */
  readonly params: Params
  close(): Promise<void>
}

function readJson(folder: string, name: keyof typeof MAXIMUM_BYTES): Record<string, unknown> {
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
  if (size > MAXIMUM_BYTES[name]) throw refuse(`it has ${size} bytes, and ${MAXIMUM_BYTES[name]} are allowed`)
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (cause) {
    throw refuse((cause as Error).message)
  }
  throw refuse('it is not a JSON object')
}

/** Whether a model plugin reads checkpoints of a type: its name, or one of the values of its option `modelType`. */
const reads = (plugin: AnyPlugin, type: string): boolean => {
  const members = plugin.options.shape['modelType'] as { safeParse(value: unknown): { success: boolean } } | undefined
  return members === undefined ? plugin.name === type : members.safeParse(type).success
}

async function modelFor(config: Readonly<Record<string, unknown>>, folder: string, places: SearchPlaces): Promise<Model> {
  const type = config['model_type']
  const installed = installedPlugins(places.folders).filter(({ kind }) => kind === MODEL.name)
  for (const { name } of installed) {
    const plugin = await findPlugin(MODEL, name, places)
    if (typeof type === 'string' && reads(plugin, type))
      return plugin(optionsFromConfig(plugin.options, config)) as Model
  }
  throw new AttuneError(
    'UNKNOWN_MODEL_TYPE',
    `${join(folder, 'config.json')} has model_type ${JSON.stringify(type)?.slice(0, 80)}, and no installed plugin reads it`,
    `Install one that does: npm install @attune/model-${typeof type === 'string' ? type.slice(0, 80) : '…'}.`,
  )
}

/** The content of a tokenizer.json, as far as it tells which plugin reads it. */
interface TokenizerJson {
  readonly model?: { readonly type?: unknown }
}

/** The tokenizer plugin is the one that is called as the algorithm in the file: wordpiece, bpe, unigram, wordlevel. */
const tokenizerPlugin = ({ model }: TokenizerJson, places: SearchPlaces) =>
  findPlugin(TOKENIZER, String(model?.type).toLowerCase(), places)

/** What a folder or a file holds besides the weights. */
interface Described {
  readonly config: Readonly<Record<string, unknown>>
  readonly tokenizer: (places: SearchPlaces) => Promise<Tokenizer>
}

/** What the metadata of a GGUF file tell; a tokenizer.json beside it goes before them. */
function describedByGguf(path: string): Described | undefined {
  const reader = openWeights(path)
  const { config, metadata, where } = reader
  reader.close()
  if (config === undefined) return undefined
  return {
    config,
    async tokenizer(places) {
      const own = ggufTokenizer(metadata, where)
      return (await tokenizerPlugin(own.json, places))({ json: own.json, config: own.config }) as Tokenizer
    },
  }
}

/** The configuration and the tokenizer of a folder in the layout of the Hugging Face library, or of a GGUF file. */
function describe(path: string): Described {
  const folder = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path
  const fromFolder = async (places: SearchPlaces): Promise<Tokenizer> => {
    const json = readJson(folder, 'tokenizer.json') as TokenizerJson
    return (await tokenizerPlugin(json, places))({ path: folder }) as Tokenizer
  }
  const isThere = (name: string): boolean => existsSync(join(folder, name))
  const gguf = path.endsWith('.gguf') || (existsSync(path) && !isThere('config.json') && readdirSync(path).some((name) => name.endsWith('.gguf')))
  const described = gguf ? describedByGguf(path) : undefined
  const tokenizer = described === undefined || isThere('tokenizer.json') ? fromFolder : described.tokenizer
  return { config: described?.config ?? readJson(folder, 'config.json'), tokenizer }
}

/**
 * Loads a model from a folder in the layout of the Hugging Face library (or of a run, which holds such a one), or from a GGUF
 * file, with the head for an objective, on the best engine that works here.
 * @throws AttuneError `FILE_NOT_FOUND`, `BAD_MODEL_FOLDER`, `UNKNOWN_MODEL_TYPE`, `MISSING_WEIGHTS`, and those of the plugins
 */
export async function loadPretrained(
  directory: string,
  objectiveFor: (model: Model) => string,
  places: SearchPlaces,
): Promise<Pretrained> {
  const folder = existsSync(join(directory, 'model', 'config.json')) ? join(directory, 'model') : directory
  const { config, tokenizer: makeTokenizer } = describe(folder)
  const model = await modelFor(config, folder, places)
  const tokenizer = await makeTokenizer(places)
  const objective = (await findPlugin(OBJECTIVE, objectiveFor(model), places))({}, { model, tokenizer }) as Objective
  const choice = await chooseEngine({ kind: ENGINE, plugin: 'auto', options: {} } as never, places)
  const engine = (await findPlugin(ENGINE, choice.engine.plugin as string, places))() as Engine
  await engine.start()
  try {
    const params = savedParameters({ engine, model, objective }, folder)
    return { engine, model, tokenizer, objective, params, close: () => engine.close() }
  } catch (error) {
    await engine.close()
    throw error
  }
}
