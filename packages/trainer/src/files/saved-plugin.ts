import { join } from 'node:path'
import {
  type AnyPlugin,
  AttuneError,
  type Chosen,
  ENCODER,
  MODEL,
  type Model,
  type Found,
  excerpt,
  fileName,
  isAttuneError,
  nearest,
} from '@attune/core'
import { type SearchPaths, findReader, installedPlugins } from '@attune/resolve'
import { optionsFromConfig } from '@attune/weights'
import { withLocation } from '../data/with-location.js'
import { readsType } from './model-folder.js'
import { withStoredHead } from './stored-head.js'

/** A `config.json`, or the part of it that describes the encoder. */
type SavedConfig = Readonly<Record<string, unknown>>

/** The error for a type that no installed plugin reads, with the nearest types that one reads. */
function unknownType(type: unknown, path: string, { folders }: SearchPaths): AttuneError {
  const types = installedPlugins(folders).flatMap(({ kind, reads }) => (kind === MODEL.name ? reads : []))
  if (typeof type !== 'string')
    return new AttuneError(
      'UNKNOWN_MODEL_TYPE',
      `expected the type of the model in ${path} under model_type, got ${type === undefined ? 'none' : excerpt(type)}`,
      `Add it, for example "model_type": "${types.includes('bert') ? 'bert' : (types[0] ?? 'bert')}", or download the model again.`,
    )
  const near = nearest(type.slice(0, 80), types)
  return new AttuneError(
    'UNKNOWN_MODEL_TYPE',
    `${path} has model_type ${excerpt(type)}, which no installed plugin reads`,
    near.length > 0
      ? `Did you mean ${near.join(' or ')}? Correct model_type if the architecture is that.`
      : `Install the matching plugin: npm install @attune/model-${/^[\w-]{1,80}$/.test(type) ? type : '…'}.`,
  )
}

/**
 * Finds the installed plugin for a saved model. Its type is untrusted data: it only selects among the installed plugins by their package
 * metadata.
 * @throws AttuneError `UNKNOWN_MODEL_TYPE`
 */
export async function pluginFor(config: SavedConfig, folder: string, searchPaths: SearchPaths): Promise<Found> {
  const type = config['model_type']
  const found = typeof type === 'string' ? await findReader(MODEL, fileName(type), searchPaths) : undefined
  if (found !== undefined && readsType(found.plugin, type as string)) return found
  throw unknownType(type, join(folder, 'config.json'), searchPaths)
}

/** Name of a model plugin's encoder dependency, if it has one. */
export const encoderNeed = (plugin: AnyPlugin): string | undefined =>
  Object.entries(plugin.needs ?? {}).find(([, needed]) => needed.name === ENCODER.name)?.[0]

/** The encoder inside a saved model, if there is one. */
export async function savedEncoder(
  plugin: AnyPlugin,
  { encoder }: SavedConfig,
  folder: string,
  searchPaths: SearchPaths,
): Promise<Chosen | undefined> {
  if (encoderNeed(plugin) === undefined || typeof encoder !== 'object' || encoder === null) return undefined
  const inside = await pluginFor(encoder as SavedConfig, folder, searchPaths)
  return { ...inside, options: optionsFromConfig(inside.plugin.options, encoder as SavedConfig) }
}

/** Adds the file to an error of the options that were read from it. */
function inFile<T>(path: string, create: () => T): T {
  try {
    return create()
  } catch (error) {
    throw isAttuneError(error) && error.code === 'BAD_OPTIONS' ? withLocation(error, path) : error
  }
}

/**
 * Creates the model described by a `config.json` and the weights next to it, with warnings about their differences.
 * @throws AttuneError `UNKNOWN_MODEL_TYPE`, and the errors of `openWeights`
 */
export async function modelFor(
  config: SavedConfig,
  folder: string,
  searchPaths: SearchPaths,
): Promise<{ readonly model: Model; readonly notes: readonly string[] }> {
  const { plugin } = await pluginFor(config, folder, searchPaths)
  const inside = await savedEncoder(plugin, config, folder, searchPaths)
  const given = inside === undefined ? {} : { [encoderNeed(plugin)!]: [inside.plugin(inside.options)] }
  const stored = withStoredHead(plugin, config, folder, given)
  const create = () => plugin(optionsFromConfig(plugin.options, stored.config), given) as Model
  return { model: inFile(join(folder, 'config.json'), create), notes: stored.notes }
}
