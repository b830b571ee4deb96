import type { DataPass, Encoded, Example, Params } from '@attune/core'
import { map } from '@attune/data'
import { cleaning } from '../data/clean.js'
import { microBatchSizeOf } from '../plan/run-config.js'
import { encodeAll, encodeRows } from '../step/batches.js'
import { dataPass } from '../step/data-pass.js'
import type { Components } from './compose.js'
import type { Plan } from '../plan/plan.js'
import type { TrainingSplit } from '../data/open-splits.js'

/** Training split and micro-batch size of a data pass. */
export interface TrainingData {
  readonly plan: Plan
  readonly splits: { readonly train: TrainingSplit }
}

/** Creates a pass over the training examples, or over others with the same fields, through a model. */
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
    items(examples) {
      const encode = (example: Example): Encoded => objective.encode(example)
      if (examples === undefined) return encodeRows(splits.train.rows(), encode).items
      return encodeAll(map(examples(), cleaning(plan.config.cleaner, plan.config.objective)), encode).items
    },
    batchSize: microBatchSizeOf(plan.config.training),
  })
