import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { isRecord } from '@attune/core'
import { modelFolder } from '@attune/hub'
import { showHub } from './hub-progress.js'

/** Resolves to the folder of a model: a local folder, or a model of the Hub, downloaded if it is not cached. */
export const folderOf = (reference: string): Promise<string> =>
  existsSync(reference) ? Promise.resolve(resolve(reference)) : modelFolder(reference, {}, showHub(process.stderr))

/**
 * Replaces names of Hub models in a configuration by their local folders: in `model: { from: organization/name }`, in the `encoder`
 * of a model, and in `tokenizer: { path: organization/name }`. An existing path, relative to the base folder, takes precedence.
 */
export async function withHubModel(
  config: Record<string, unknown>,
  baseFolder: string,
): Promise<Record<string, unknown>> {
  const model = await withFolder(config['model'], 'from', baseFolder)
  const inside = isRecord(model) ? await withFolder(model['encoder'], 'from', baseFolder) : undefined
  const tokenizer = await withFolder(config['tokenizer'], 'path', baseFolder)
  return {
    ...config,
    ...(model === undefined
      ? {}
      : { model: isRecord(model) && inside !== undefined ? { ...model, encoder: inside } : model }),
    ...(tokenizer === undefined ? {} : { tokenizer }),
  }
}

/** Options in which a Hub model's name is replaced by its folder. */
async function withFolder(options: unknown, key: string, baseFolder: string): Promise<unknown> {
  const named = isRecord(options) ? options[key] : undefined
  if (!isRecord(options) || typeof named !== 'string' || existsSync(resolve(baseFolder, named))) return options
  return { ...options, [key]: await modelFolder(named, {}, showHub(process.stderr)) }
}
