import type { DataPass, Params } from '@attune/core'
import { microBatchSizeOf } from '../plan/run-config.js'
import { encodeAll } from '../step/batches.js'
import { dataPass } from '../step/data-pass.js'
import type { Parts } from './compose.js'
import type { Session } from './session.js'

/** A pass over the training examples through a model. */
export const passOver = (
  { splits, plan }: Pick<Session, 'splits' | 'plan'>,
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
