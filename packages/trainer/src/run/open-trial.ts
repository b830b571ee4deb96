import { EMPTY } from 'rxjs'
import type { RunOptions } from '../plan/lookup.js'
import { type Plan, planRun } from '../plan/plan.js'
import type { RunConfig } from '../plan/run-config.js'
import { type Opened, closeSession, open } from '../setup/open.js'
import type { TrainingMap } from '../setup/training-map.js'
import { createBus } from './bus.js'

/** The plan of a session that is not a run: without a folder, callbacks and trackers. The few outputs that it caches stay in memory. */
export function trialPlan(whole: Plan): Plan {
  const training = { ...whole.config.training, cacheMemory: Infinity }
  return { ...whole, config: { ...whole.config, training, callback: [], tracker: [] }, directory: undefined }
}

/** Opens a session to measure it. */
export async function openTrial(whole: Plan, options: RunOptions): Promise<Opened> {
  const plan = trialPlan(whole)
  const connect = () => ({ bus: createBus({}), runFolder: undefined })
  return open({ plan, parent: options.scope, events: EMPTY, dataFolder: options.dataFolder, connect })
}

/** Returns what a run would train, by layer group and kind of parameter. Trains nothing; a saved adapter is applied. */
export async function mapRun(config: RunConfig, options: RunOptions = {}): Promise<TrainingMap> {
  const { session, trains } = await openTrial(await planRun(config, options), options)
  await closeSession(session)
  return trains
}
