import { choosePlugins } from '@attune/core'
import { type RunOptions, userLookup } from '../plan/lookup.js'
import type { ParsedConfig } from '../plan/run-config.js'
import type { DataPlan } from './open-splits.js'

/** Resolves only the plugins that prepare the data of a configuration. Without the run folder: rejected rows are written by the run itself. */
export async function chooseData(parsed: ParsedConfig, options: RunOptions): Promise<DataPlan> {
  const { data, cleaner, filter, balancer, augmenter, sampler, protocol, objective, metric } = parsed
  const named = { data, cleaner, filter, balancer, augmenter, sampler, protocol, objective, metric }
  const chosen = await choosePlugins(named, userLookup(options))
  const { seed, training, fold } = parsed
  return { config: { ...chosen, seed, training, ...(fold === undefined ? {} : { fold }) }, directory: undefined }
}
