import { resolve } from 'node:path'
import type { Command as RunCommand } from '@attune/core'
import { Subject } from 'rxjs'
import { openConfig } from './open-config.js'

/** Flags of a command that trains a configuration several times. */
export interface SeveralFlags {
  readonly directory?: string
  readonly set: readonly string[]
}

/** Reads the configuration of several runs, and the options to start them with. */
export async function openSeveral(target: string, { set, directory }: SeveralFlags) {
  const settings = [...set, ...(directory === undefined ? [] : [`directory=${JSON.stringify(resolve(directory))}`])]
  const { whole: config, options } = await openConfig(target, settings)
  const commands = new Subject<RunCommand>()
  return { config, options: { ...options, commands }, commands }
}
