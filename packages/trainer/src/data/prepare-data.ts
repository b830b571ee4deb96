import { type RunEvents, choosePlugins, parseConfig } from '@attune/core'
import { type RunOptions, userLookup } from '../plan/lookup.js'
import { type RunConfig, runSchema } from '../plan/run-config.js'
import { openSplits } from './open-splits.js'
import { openStore } from './store.js'

/** A stage of the training data: what goes in and comes out, and where it is kept. */
export type PreparedStage = RunEvents['stage.made']

/**
 * Prepares the training data of a configuration as a run does before its first step: cleans, filters, balances and augments them,
 * and keeps each stage in the store, from which the run then takes it. Only plugins that this needs are loaded.
 * @param options `dataFolder` is the folder of the store
 * @throws AttuneError those of the sources, the protocol and the plugins of the stages; `CANNOT_WRITE`
 *
 * @example
 * const stages = await prepareData(config)
 * console.log(stages.map(({ stage, examplesOut }) => `${stage}: ${examplesOut}`))
 */
export async function prepareData(config: RunConfig, options: RunOptions = {}): Promise<readonly PreparedStage[]> {
  const parsed = parseConfig(runSchema, config, options.locate)
  const { data, cleaner, filter, balancer, augmenter, sampler, protocol, objective, metric } = parsed
  const named = { data, cleaner, filter, balancer, augmenter, sampler, protocol, objective, metric }
  const chosen = await choosePlugins(named, userLookup(options))
  const stages: PreparedStage[] = []
  await openSplits(
    // Without the run's folder: rejected rows are kept there once, and the run is to keep them itself.
    { config: { ...chosen, seed: parsed.seed, training: parsed.training }, directory: undefined },
    {
      store: openStore(options.dataFolder),
      emit: (happening) => {
        if (happening.type !== 'stage.made') return
        const { type: _, ...stage } = happening
        stages.push(stage)
      },
    },
  )
  return stages
}
