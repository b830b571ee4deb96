import { type Objective, type Params, isRecord } from '@attune/core'
import { digestOfModel } from '../files/model-digest.js'
import type { Inference } from './infer.js'
import type { Description, Predictor } from './predictor.js'
import { createPredictionQueue } from './prediction-queue.js'

/** A loaded model. */
export interface Loaded {
  /** The objective's name. */
  readonly task: string
  readonly fields: readonly string[]
  /** The folder or the file of its weights. */
  readonly folder: string
  readonly objective: Objective
  readonly forward: Inference
  readonly params: Params
  readonly warnings: readonly string[]
  close(): Promise<void>
}

/** The labels by class id, as `config.json` has them. */
function labelsOf({ config }: Objective): Pick<Description, 'labels'> {
  const names = config['id2label']
  return isRecord(names) ? { labels: Object.keys(names).map((_, i) => String(names[i])) } : {}
}

/** A predictor of a loaded model, with a queue in front of it. */
export async function predictorOf({
  task,
  fields,
  folder,
  objective,
  forward,
  params,
  warnings,
  close,
}: Loaded): Promise<Predictor> {
  const queue = createPredictionQueue({
    batchSize: forward.batchSize,
    encode: (example) => objective.encodeUnlabelled(example),
    predict: (items) => forward.batch(params, items),
  })
  const version = await digestOfModel(folder)
  return {
    describes: { task, fields, views: objective.views, ...labelsOf(objective), version },
    warnings,
    predict: (examples, how) => queue.predict(examples, how),
    async close() {
      await queue.close()
      forward.dispose()
      await close()
    },
  }
}
