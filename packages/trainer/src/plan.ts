import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  AttuneError,
  type Chosen,
  type ChosenIn,
  type Command,
  type Locate,
  MODEL,
  type SearchPlaces,
  type Scope,
  type Use,
  choosePlugins,
  findPlugin,
  isPlugin,
  parseConfig,
  use,
} from '@attune/core'
import { optionsFromConfig } from '@attune/nn'
import type { Observable } from 'rxjs'
import { z } from 'zod'
import { AUTO, chooseEngine } from './choose-engine.js'
import { describeModel, readsType } from './model-folder.js'
import { type ParsedConfig, runSchema, without } from './run-config.js'
import { encoderNeed, savedEncoder } from './saved-plugin.js'

/** What surrounds a run. */
export interface RunOptions {
  /** Where relative paths of the configuration count from, and where plugins are searched first. Default: the current folder. */
  readonly baseDirectory?: string
  /** Where plugins are searched. Default: the base directory, the current folder, and beside this package. */
  readonly places?: SearchPlaces
  /** The application's scope, which the run's own scope is a child of. */
  readonly scope?: Scope
  /** Commands from outside. A `stop` among them interrupts: the run saves a checkpoint and can be resumed. */
  readonly commands?: Observable<Command>
  /** Where values stand in the file that the configuration was read from. */
  readonly locate?: Locate
}

/** A saved model to start from: what stands beside `from` in a configuration's `model`. */
export interface Start {
  /** Its folder, or its file. */
  readonly path: string
  /** Whether to load what fits, and leave the rest new; else the model must be whole. */
  readonly partial: boolean
  /** Whether its word embeddings may grow to the tokenizer's vocabulary. */
  readonly resizeEmbeddings: boolean
}

/** A model inside the run's own, whose states that one reads. */
export interface Inside {
  readonly model: Chosen
  /** Its checkpoint; none where the saved model that the run starts from has it inside. */
  readonly path: string | undefined
}

/** A configuration with every plugin found and every option checked. */
export interface Plan {
  readonly config: ChosenIn<ParsedConfig>
  /** The run's folder, absolute; nothing when the run is not kept. */
  readonly directory: string | undefined
  /** The saved model to start from. */
  readonly from: Start | undefined
  readonly encoder: Inside | undefined
  /** The file of word vectors that the word embeddings start from. */
  readonly vectors: string | undefined
  /** Whether the user said how large the vocabulary is; otherwise the tokenizer says. */
  readonly vocabularyGiven: boolean
  /** Why the engine is the one it is, where the configuration left the choice open. */
  readonly engineBecause: string | undefined
}

const MAXIMUM_JSON = 64 * 1024 * 1024

/** Reads a JSON file of at most 64 MiB. @throws AttuneError `FILE_NOT_FOUND`, `BAD_JSON`. */
export function readJsonFile(path: string): Record<string, unknown> {
  if (!existsSync(path))
    throw new AttuneError(
      'FILE_NOT_FOUND',
      `there is no file ${path}`,
      'Check the path; it counts from the configuration.',
    )
  const refuse = (why: string): AttuneError =>
    new AttuneError('BAD_JSON', `${path} cannot be used: ${why}`, 'Mend the file or fetch it again.')
  if (statSync(path).size > MAXIMUM_JSON) throw refuse(`it is larger than ${MAXIMUM_JSON} bytes`)
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (cause) {
    throw refuse((cause as Error).message)
  }
  throw refuse('it is not a JSON object')
}

/** Where plugins are searched when nothing else is said. */
export const placesOf = ({ places, baseDirectory = '.' }: RunOptions): SearchPlaces => ({
  ...places,
  folders: [resolve(baseDirectory), ...(places?.folders ?? [process.cwd(), dirname(fileURLToPath(import.meta.url))])],
})

const startSchema = z.object({
  from: z.string().min(1),
  partial: z.boolean().default(false),
  resizeEmbeddings: z.boolean().default(false),
})

/** Takes `embeddings: file` out of the model's options. */
function readVectorsPath(named: Use, places: SearchPlaces) {
  const { embeddings, from, encoder } = named.options
  if (embeddings === undefined) return { named, vectors: undefined }
  const refuse = (why: string): AttuneError =>
    new AttuneError(
      'BAD_OPTIONS',
      `model: ${why}`,
      'Write `model: { use: …, embeddings: FILE }`, a file of word vectors.',
    )
  if (typeof embeddings !== 'string' || embeddings === '') throw refuse('`embeddings` must be the path of a file')
  const other = from === undefined ? encoder && 'encoder' : 'from'
  if (other !== undefined) throw refuse(`\`${other}\` and \`embeddings\` both say what the word embeddings start from`)
  return { named: without(named, 'embeddings'), vectors: resolve(places.folders[0] as string, embeddings) }
}

/**
 * Replaces `from: folder` of the model by the options in that folder's `config.json`; written options win.
 * @param known whether all options are written, so that the folder, which may be gone, need not be read
 */
async function readModelFolder(named: Use, places: SearchPlaces, known: boolean) {
  if (named.options['from'] === undefined) return { model: named, from: undefined }
  const given = startSchema.safeParse(named.options)
  if (!given.success)
    throw new AttuneError(
      'BAD_OPTIONS',
      `model: ${given.error.issues.map(({ path, message }) => `\`${path.join('.')}\`: ${message}`).join('; ')}`,
      'Write `model: { use: …, from: FOLDER, partial: true, resizeEmbeddings: true }`; the last two may be left out.',
    )
  const { from, ...how } = given.data
  const path = resolve(places.folders[0] as string, from)
  const plugin = isPlugin(named.plugin) ? named.plugin : await findPlugin(MODEL, named.plugin, places)
  const saved = known ? {} : describeModel(path).config
  const type = saved['model_type']
  if (!known && (typeof type !== 'string' || !readsType(plugin, type)))
    throw new AttuneError(
      'WRONG_MODEL_TYPE',
      `${path} holds a model of type ${JSON.stringify(type)}, and the configuration uses "${plugin.name}"`,
      `Write \`model: { use: ${String(type)}, from: … }\`.`,
    )
  const written = Object.keys(startSchema.shape).reduce((use, key) => without(use, key), named)
  const options = { ...optionsFromConfig(plugin.options, saved), ...written.options }
  return { model: { kind: MODEL, plugin, options }, from: { path, ...how } }
}

function refuseEncoder(why: string): never {
  throw new AttuneError(
    'BAD_OPTIONS',
    `model: ${why}`,
    'Write `encoder: { use: …, from: FOLDER }`, a saved model, beside `use`; or `from` alone, to start from a model that has one.',
  )
}

/** Takes `encoder: { use, from }` out of the model's options, or finds it inside the saved model that is named. */
async function readEncoder(
  named: Use,
  places: SearchPlaces,
  known: boolean,
): Promise<{ named: Use; encoder: Inside | undefined }> {
  const { encoder, from } = named.options
  if (encoder === undefined && typeof from !== 'string') return { named, encoder: undefined }
  const plugin = isPlugin(named.plugin) ? named.plugin : await findPlugin(MODEL, named.plugin, places)
  if (encoderNeed(plugin) === undefined) return { named, encoder: undefined }
  if (encoder === undefined) {
    if (known) return { named, encoder: undefined }
    const path = resolve(places.folders[0] as string, from as string)
    const inside = await savedEncoder(plugin, describeModel(path).config, path, places)
    return { named, encoder: inside && { model: inside, path: undefined } }
  }
  if (from !== undefined && !known) refuseEncoder('`from` and `encoder` both say what the model starts from')
  const parsed = use(MODEL).safeParse(encoder)
  if (!parsed.success) return refuseEncoder('`encoder` must name a model')
  const { model, from: start } = await readModelFolder(parsed.data, places, known)
  if ((start === undefined && !known) || start?.partial === true || start?.resizeEmbeddings === true)
    return refuseEncoder('an encoder stays as it is, so that it must start from a whole saved model')
  const chosen = await choosePlugins({ model }, places)
  return { named: without(named, 'encoder'), encoder: { model: chosen.model, path: start?.path } }
}

/**
 * Checks a configuration and finds its plugins. Nothing is computed and nothing is written; where the engine is `auto`,
 * engines are started to see which works.
 * @param known whether the configuration is one that a run wrote: with all options, so that no saved model need be read
 * @throws AttuneError with all that is wrong.
 */
export async function planRun(config: unknown, options: RunOptions = {}, known = false): Promise<Plan> {
  const places = placesOf(options)
  const parsed = parseConfig(runSchema, config, options.locate)
  const { named: written, vectors } = readVectorsPath(parsed.model, places)
  const { named, encoder } = await readEncoder(written, places, known)
  const { model, from } = await readModelFolder(named, places, known)
  const open = parsed.engine.plugin === AUTO
  const choice = open ? await chooseEngine(parsed.engine, places) : { engine: parsed.engine, because: undefined }
  const chosen = await choosePlugins({ ...parsed, model, engine: choice.engine }, places, options.locate)
  return {
    config: chosen,
    directory: parsed.directory === undefined ? undefined : resolve(places.folders[0] as string, parsed.directory),
    from,
    encoder,
    vectors,
    vocabularyGiven: from !== undefined || 'vocabSize' in parsed.model.options,
    engineBecause: choice.because,
  }
}
