import type { DataPass, Params } from '@attune/core'
import { microBatchSizeOf } from '../plan/run-config.js'
import { encodeRows } from '../step/batches.js'
import { dataPass } from '../step/data-pass.js'
import type { Components } from './compose.js'
import type { Plan } from '../plan/plan.js'
import type { TrainingSplit } from '../data/open-splits.js'

/** Training split and micro-batch size of a data pass. */
export interface TrainingData {
  readonly plan: Plan
  readonly splits: { readonly train: TrainingSplit }
}

/** Creates a pass over the training examples through a model. */
export const trainingPass = (
  { splits, plan }: TrainingData,
  { engine, model, objective }: Pick<Components, 'engine' | 'model' | 'objective'>,
  trainable: Params,
  frozen: Params = {},
): DataPass =>
  dataPass({
    engine,
    model,
    objective,
    trainable,
    frozen,
    items: () => encodeRows(splits.train.rows(), (example) => objective.encode(example)).items,
    batchSize: microBatchSizeOf(plan.config.training),
  })
