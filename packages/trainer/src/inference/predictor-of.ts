import { type Example, type Objective, type Params, isRecord } from '@attune/core'
import { digestOfModel } from '../files/model-digest.js'
import type { Inference } from './infer.js'
import type { Description, Predictor } from './predictor.js'
import { createPredictionQueue } from './prediction-queue.js'

/** A loaded model. */
export interface Loaded {
  /** The objective's name. */
  readonly task: string
  readonly fields: readonly string[]
  /** Folder or file of its weights. */
  readonly folder: string
  readonly objective: Objective
  readonly forward: Inference
  readonly params: Params
  readonly warnings: readonly string[]
  /** Cleans an example. Default: identity. */
  readonly clean?: (example: Example) => Example
  close(): Promise<void>
}

/** Labels by class id, from `config.json`. */
function labelsOf({ config }: Objective): Pick<Description, 'labels'> {
  const names = config['id2label']
  return isRecord(names) ? { labels: Object.keys(names).map((_, i) => String(names[i])) } : {}
}

/** Creates a predictor of a loaded model, with a prediction queue. */
export async function predictorOf({
  task,
  fields,
  folder,
  objective,
  forward,
  params,
  warnings,
  clean = (example) => example,
  close,
}: Loaded): Promise<Predictor> {
  const queue = createPredictionQueue({
    batchSize: forward.batchSize,
    encode: (example) => objective.encodeUnlabelled(clean(example)),
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
