import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  AttuneError,
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
} from '@attune/core'
import { optionsFromConfig } from '@attune/nn'
import type { Observable } from 'rxjs'
import { AUTO, chooseEngine } from './choose-engine.js'
import { type ParsedConfig, runSchema, without } from './run-config.js'

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

/** A configuration with every plugin found and every option checked. */
export interface Plan {
  readonly config: ChosenIn<ParsedConfig>
  /** The run's folder, absolute; nothing when the run is not kept. */
  readonly directory: string | undefined
  /** The folder of a saved model to start from. */
  readonly from: string | undefined
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

/** Replaces `from: folder` of the model by the options in that folder's `config.json`; written options win. */
async function readModelFolder(named: Use, places: SearchPlaces) {
  const given = named.options['from']
  if (typeof given !== 'string') return { model: named, from: undefined }
  const from = resolve(places.folders[0] as string, given)
  const plugin = isPlugin(named.plugin) ? named.plugin : await findPlugin(MODEL, named.plugin, places)
  const saved = readJsonFile(join(from, 'config.json'))
  if (saved['model_type'] !== plugin.name)
    throw new AttuneError(
      'WRONG_MODEL_TYPE',
      `${from} holds a model of type ${JSON.stringify(saved['model_type'])}, and the configuration uses "${plugin.name}"`,
      `Write \`model: { use: ${String(saved['model_type'])}, from: … }\`.`,
    )
  const options = { ...optionsFromConfig(plugin.options, saved), ...without(named, 'from').options }
  return { model: { kind: MODEL, plugin, options }, from }
}

/**
 * Checks a configuration and finds its plugins. Nothing is computed and nothing is written; where the engine is `auto`,
 * engines are started to see which works.
 * @throws AttuneError with all that is wrong.
 */
export async function planRun(config: unknown, options: RunOptions = {}): Promise<Plan> {
  const places = placesOf(options)
  const parsed = parseConfig(runSchema, config, options.locate)
  const { model, from } = await readModelFolder(parsed.model, places)
  const open = parsed.engine.plugin === AUTO
  const choice = open ? await chooseEngine(parsed.engine, places) : { engine: parsed.engine, because: undefined }
  const chosen = await choosePlugins({ ...parsed, model, engine: choice.engine }, places, options.locate)
  return {
    config: chosen,
    directory: parsed.directory === undefined ? undefined : resolve(places.folders[0] as string, parsed.directory),
    from,
    vocabularyGiven: from !== undefined || 'vocabSize' in parsed.model.options,
    engineBecause: choice.because,
  }
}
