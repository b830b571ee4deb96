import type { RunConfig } from '@attune/trainer/node'
import { withHubModel } from './hub-models.js'
import { locateSettings } from './locate-settings.js'
import { readConfig, runPart, withSettings } from './read-config.js'
import { searchPathsFrom } from './search-paths.js'

/** Reads a configuration, as the options of the trainer's functions. */
export async function openConfig(target: string, settings: readonly string[]) {
  const { config, folder, locate } = readConfig(target)
  const whole = (await withHubModel(runPart(withSettings(config, settings)), folder)) as RunConfig
  const options = {
    baseDirectory: folder,
    searchPaths: searchPathsFrom(folder),
    locate: locateSettings(locate, settings, config),
  }
  return { whole, options }
}
