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
import { type SearchPlaces, findReader } from '@attune/resolve'
import { optionsFromConfig } from '@attune/weights'
import { readsType } from './model-folder.js'

/** A `config.json`, or the part of one that describes the model inside. */
type SavedConfig = Readonly<Record<string, unknown>>

/**
 * Finds the installed plugin that reads models of a saved type. The type is data: it chooses among installed plugins by what their
 * packages declare.
 * @throws AttuneError `UNKNOWN_MODEL_TYPE`
 */
export async function pluginFor(config: SavedConfig, folder: string, places: SearchPlaces): Promise<Found> {
  const type = config['model_type']
  const found = typeof type === 'string' ? await findReader(MODEL, fileName(type), places) : undefined
  if (found !== undefined && readsType(found.plugin, type as string)) return found
  throw new AttuneError(
    'UNKNOWN_MODEL_TYPE',
    `${join(folder, 'config.json')} has model_type ${JSON.stringify(type)?.slice(0, 80)}, and no installed plugin reads it`,
    `Install one that does: npm install @attune/model-${typeof type === 'string' && /^[\w-]{1,80}$/.test(type) ? type : '…'}.`,
  )
}

/** The name under which a model plugin is given the model that it reads, if it reads one. */
export const encoderNeed = (plugin: AnyPlugin): string | undefined =>
  Object.entries(plugin.needs ?? {}).find(([, needed]) => needed.name === ENCODER.name)?.[0]

/** The model inside a saved one, if there is one. */
export async function savedEncoder(
  plugin: AnyPlugin,
  { encoder }: SavedConfig,
  folder: string,
  places: SearchPlaces,
): Promise<Chosen | undefined> {
  if (encoderNeed(plugin) === undefined || typeof encoder !== 'object' || encoder === null) return undefined
  const inside = await pluginFor(encoder as SavedConfig, folder, places)
  return { ...inside, options: optionsFromConfig(inside.plugin.options, encoder as SavedConfig) }
}

/** The model that a `config.json` describes. @throws AttuneError `UNKNOWN_MODEL_TYPE` */
export async function modelFor(config: SavedConfig, folder: string, places: SearchPlaces): Promise<Model> {
  const { plugin } = await pluginFor(config, folder, places)
  const inside = await savedEncoder(plugin, config, folder, places)
  const given = inside === undefined ? {} : { [encoderNeed(plugin)!]: [inside.plugin(inside.options)] }
  return plugin(optionsFromConfig(plugin.options, config), given) as Model
}
