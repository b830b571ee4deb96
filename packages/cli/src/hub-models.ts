import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { isRecord } from '@attune/core'
import { modelFolder } from '@attune/hub'
import { showHub } from './hub-progress.js'

/** The folder of a model that a command was given: a local one, or one of the Hub, which is downloaded if need be. */
export const folderOf = (reference: string): Promise<string> =>
  existsSync(reference) ? Promise.resolve(resolve(reference)) : modelFolder(reference, {}, showHub(process.stderr))

/**
 * Puts the folder of a model of the Hub where a configuration names one: in `model: { from: organization/name }`, in the `encoder`
 * inside a model, and in `tokenizer: { path: organization/name }`. Relative paths count from the base folder, and come first.
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

/** The options with the folder of the model that one of them names, if it is none yet. */
async function withFolder(options: unknown, key: string, baseFolder: string): Promise<unknown> {
  const named = isRecord(options) ? options[key] : undefined
  if (!isRecord(options) || typeof named !== 'string' || existsSync(resolve(baseFolder, named))) return options
  return { ...options, [key]: await modelFolder(named, {}, showHub(process.stderr)) }
}
