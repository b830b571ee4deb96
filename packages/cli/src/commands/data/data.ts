import { formatCount, formatDuration, table } from '@attune/terminal'
import { type PreparedStage, type RunConfig, prepareData } from '@attune/trainer/node'
import { Command } from 'commander'
import { collect } from '../../collect.js'
import { searchPathsFrom } from '../../search-paths.js'
import { locateSettings } from '../../locate-settings.js'
import { readConfig, withSettings } from '../../read-config.js'
import { compareCommand } from './compare/compare.js'
import { inspectCommand } from './inspect.js'

/** Table of stages: examples in and out, time, and file. */
export function stagesText(stages: readonly PreparedStage[]): string {
  if (stages.length === 0)
    return 'Nothing to prepare: the configuration has no cleaner, filter, balancer, augmenter or sampler whose result can be stored.'
  const rows = stages.map(({ stage, examplesIn, examplesOut, seconds, reused, path }) => [
    stage,
    formatCount(examplesIn),
    formatCount(examplesOut),
    formatDuration(seconds),
    reused ? 'reused' : 'made',
    path ?? 'not kept',
  ])
  const left = stages.flatMap(({ stage, because = {} }) =>
    Object.entries(because).map(([reason, count]) => `${stage} left out ${formatCount(count)}: ${reason}`),
  )
  return [...table(['stage', 'in', 'out', 'time', '', 'file'], rows), ...left].join('\n')
}

const prepareCommand = (): Command =>
  new Command('prepare')
    .summary('prepare and store the training data')
    .description(
      'Cleans, filters, balances and augments the training data of a configuration, as its run would. Each stage is stored in $ATTUNE_CACHE/data (default: ~/.cache/attune/data) and made again only after a change.',
    )
    .argument('<config>', 'configuration file')
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx attune data prepare config.yaml')
    .action(async (target: string, flags: { set: readonly string[]; json?: boolean }) => {
      const { config, folder, locate } = readConfig(target)
      const stages = await prepareData(withSettings(config, flags.set) as RunConfig, {
        baseDirectory: folder,
        searchPaths: searchPathsFrom(folder),
        locate: locateSettings(locate, flags.set, config),
      })
      process.stdout.write(`${flags.json === true ? JSON.stringify(stages) : stagesText(stages)}\n`)
    })

/** `attune data` */
export const dataCommand = (): Command =>
  new Command('data')
    .summary('prepare, inspect and compare training data')
    .addCommand(prepareCommand())
    .addCommand(inspectCommand())
    .addCommand(compareCommand())
