import { join } from 'node:path'
import {
  type AnyPlugin,
  AttuneError,
  type Chosen,
  ENCODER,
  MODEL,
  type Model,
  type Found,
  fileName,
} from '@attune/core'
import { type SearchPaths, findReader } from '@attune/resolve'
import { optionsFromConfig } from '@attune/weights'
import { readsType } from './model-folder.js'
import { withStoredHead } from './stored-head.js'

/** A `config.json`, or the part of it that describes the encoder. */
type SavedConfig = Readonly<Record<string, unknown>>

/**
 * Finds the installed plugin for a saved model. Its type is untrusted data: it only selects among the installed plugins by their package
 * metadata.
 * @throws AttuneError `UNKNOWN_MODEL_TYPE`
 */
export async function pluginFor(config: SavedConfig, folder: string, searchPaths: SearchPaths): Promise<Found> {
  const type = config['model_type']
  const found = typeof type === 'string' ? await findReader(MODEL, fileName(type), searchPaths) : undefined
  if (found !== undefined && readsType(found.plugin, type as string)) return found
  throw new AttuneError(
    'UNKNOWN_MODEL_TYPE',
    `${join(folder, 'config.json')} has model_type ${JSON.stringify(type)?.slice(0, 80)}, which no installed plugin reads`,
    `Install the matching plugin: npm install @attune/model-${typeof type === 'string' && /^[\w-]{1,80}$/.test(type) ? type : '…'}.`,
  )
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
  return { model: plugin(optionsFromConfig(plugin.options, stored.config), given) as Model, notes: stored.notes }
}
