import type { Objective } from '@attune/core'
import type { Splits } from '../data/open-splits.js'
import type { Learned } from '../files/run-folder.js'
import type { Plan } from '../plan/plan.js'
import { countBatches, encodeRows } from '../step/batches.js'

/** The data of a run, and its plan. */
interface Counted {
  readonly splits: Splits
  readonly learned: Pick<Learned, 'examples'>
  readonly plan: Plan
}

/** Number of steps on each batch: several if the objective trains several times on a rollout. */
export const updatesOf = ({ updatesPerRollout = 1 }: Pick<Objective, 'updatesPerRollout'>): number => updatesPerRollout

/** Counts the steps of an epoch: those on the batches of its examples, in sampler order if there is a sampler. */
export async function countSteps({ splits: { train }, learned, plan }: Counted, objective: Objective): Promise<number> {
  const items = () => encodeRows(train.rows(train.sampled && 0), (example) => objective.encode(example)).items
  const count = train.sampled?.count ?? learned.examples
  const isMixed = train.sampled?.batches === 'mixed'
  return updatesOf(objective) * (await countBatches(items, count, plan.config.training.batchSize, isMixed))
}
