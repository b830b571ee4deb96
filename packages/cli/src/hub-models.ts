import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { modelFolder } from '@attune/hub'
import { showHub } from './hub-progress.js'

/** The folder of a model that a command was given: a local one, or one of the Hub, which is downloaded if need be. */
export const folderOf = (reference: string): Promise<string> =>
  existsSync(reference) ? Promise.resolve(resolve(reference)) : modelFolder(reference, {}, showHub(process.stderr))

/**
 * Puts the folder of a model of the Hub where a configuration names one: in `model: { from: organization/name }` and
 * `tokenizer: { path: organization/name }`. Relative paths count from the base folder, and come first.
 */
export async function withHubModel(
  config: Record<string, unknown>,
  baseFolder: string,
): Promise<Record<string, unknown>> {
  const changed = { ...config }
  for (const [part, key] of [
    ['model', 'from'],
    ['tokenizer', 'path'],
  ] as const) {
    const options = config[part] as Readonly<Record<string, unknown>> | undefined
    const named = typeof options === 'object' ? options[key] : undefined
    if (typeof named !== 'string' || existsSync(resolve(baseFolder, named))) continue
    changed[part] = { ...options, [key]: await modelFolder(named, {}, showHub(process.stderr)) }
  }
  return changed
}
