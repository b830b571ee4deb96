import type { Objective } from '@attune/core'
import { countBatches, encodeRows } from '../step/batches.js'
import type { Session } from './session.js'

/** Number of steps on each batch: several if the objective trains several times on a rollout. */
export const updatesOf = ({ updatesPerRollout = 1 }: Pick<Objective, 'updatesPerRollout'>): number => updatesPerRollout

/** Counts the steps of an epoch: those on the batches of its examples, in sampler order if there is a sampler. */
export async function countSteps(
  { splits: { train }, learned, plan }: Pick<Session, 'splits' | 'learned' | 'plan'>,
  objective: Objective,
): Promise<number> {
  const items = () => encodeRows(train.rows(train.sampled && 0), (example) => objective.encode(example)).items
  const count = train.sampled?.count ?? learned.examples
  const isMixed = train.sampled?.batches === 'mixed'
  return updatesOf(objective) * (await countBatches(items, count, plan.config.training.batchSize, isMixed))
}
