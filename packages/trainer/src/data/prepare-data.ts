import { type RunEvents, parseConfig } from '@attune/core'
import type { RunOptions } from '../plan/lookup.js'
import { type RunConfig, runSchema } from '../plan/run-config.js'
import { chooseData } from './choose-data.js'
import { openSplits } from './open-splits.js'
import { openStore } from './store.js'

/** Report on a data stage: its input and output counts and its file. */
export type PreparedStage = RunEvents['stage.made']

/**
 * Prepares the training data of a configuration as a run does before its first step: applies cleaners, filters, balancers and augmenters,
 * and stores each stage for reuse by the run. Loads only the plugins that this needs.
 * @param options `dataFolder` is the folder of the store
 * @throws AttuneError the errors of the sources, the protocol and the plugins of the stages; `CANNOT_WRITE`
 *
 * @example
 * ```ts
 * import { prepareData } from '@attune/trainer/node'
 * const config = {
 *   data: { train: { use: 'jsonl', path: 'train.jsonl' } },
 *   filter: 'duplicates', tokenizer: 'word', model: 'mlp', objective: 'sequence-classification',
 * }
 * const stages = await prepareData(config, { dataFolder: 'prepared' })
 * console.log(stages.map(({ stage, examplesOut }) => `${stage}: ${examplesOut}`)) // [ 'filter duplicates: 16' ]
 * ```
 */
export async function prepareData(config: RunConfig, options: RunOptions = {}): Promise<readonly PreparedStage[]> {
  const plan = await chooseData(parseConfig(runSchema, config, options.locate), options)
  const stages: PreparedStage[] = []
  await openSplits(plan, {
    store: openStore(options.dataFolder),
    emit: (event) => {
      if (event.type !== 'stage.made') return
      const { type: _, ...stage } = event
      stages.push(stage)
    },
  })
  return stages
}
