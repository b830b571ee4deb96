import { resolve } from 'node:path'
import type { Command as RunCommand } from '@attune/core'
import type { RunConfig } from '@attune/trainer/node'
import { Subject } from 'rxjs'
import { withHubModel } from './hub-models.js'
import { locateSettings } from './locate-settings.js'
import { readConfig, runPart, withSettings } from './read-config.js'
import { searchPathsFrom } from './search-paths.js'

/** Flags of a command that trains a configuration several times. */
export interface SeveralFlags {
  readonly directory?: string
  readonly set: readonly string[]
}

/** Reads the configuration of several runs, and the options to start them with. */
export async function openSeveral(target: string, { set, directory }: SeveralFlags) {
  const { config, folder, locate } = readConfig(target)
  const settings = [...set, ...(directory === undefined ? [] : [`directory=${JSON.stringify(resolve(directory))}`])]
  const whole = (await withHubModel(runPart(withSettings(config, settings)), folder)) as RunConfig
  const commands = new Subject<RunCommand>()
  const options = {
    baseDirectory: folder,
    searchPaths: searchPathsFrom(folder),
    locate: locateSettings(locate, settings, config),
    commands,
  }
  return { config: whole, options, commands }
}
