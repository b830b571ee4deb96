import type { DataPass, Params } from '@attune/core'
import { microBatchSizeOf } from '../plan/run-config.js'
import { encodeAll } from '../step/batches.js'
import { dataPass } from '../step/data-pass.js'
import type { Parts } from './compose.js'
import type { Plan } from '../plan/plan.js'
import type { Split } from './splits.js'

/** The examples of a pass, and the plan that says how many are computed at once. */
export interface PassOver {
  readonly plan: Plan
  readonly splits: { readonly train: Split }
}

/** A pass over the training examples through a model. */
export const passOver = (
  { splits, plan }: PassOver,
  { engine, model, objective }: Pick<Parts, 'engine' | 'model' | 'objective'>,
  trainable: Params,
  frozen: Params = {},
): DataPass =>
  dataPass({
    engine,
    model,
    objective,
    trainable,
    frozen,
    items: () => encodeAll(splits.train.examples(), (example) => objective.encode(example)).items,
    batchSize: microBatchSizeOf(plan.config.training),
  })
