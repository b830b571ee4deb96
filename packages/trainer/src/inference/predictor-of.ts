import { AttuneError, type Encoded, type Example, type Objective, type Params, isRecord, nearest } from '@attune/core'
import { digestOfModel } from '../files/model-digest.js'
import type { Inference } from './infer.js'
import type { Description, Predictor } from './predictor.js'
import { createPredictionQueue, requireList } from './prediction-queue.js'

/** A model or a saved adapter on it, with its task. */
export interface Target {
  /** The objective's name. */
  readonly task: string
  readonly fields: readonly string[]
  /** Folder or file of its weights. */
  readonly folder: string
  readonly objective: Objective
  readonly forward: Inference
  readonly params: Params
  /** Cleans an example. Default: identity. */
  readonly clean?: (example: Example) => Example
}

/** A loaded model. */
export interface Loaded extends Target {
  readonly warnings: readonly string[]
  close(): Promise<void>
}

/** Targets by the name of their adapter; that of the model itself, if it has a task, is under {@link ITSELF}. */
export type Targets = ReadonlyMap<string | typeof ITSELF, Target>
/** Key of the model without an adapter. */
export const ITSELF = Symbol('the model itself')

/** Labels by class id, from `config.json`. */
function labelsOf({ config }: Objective): Pick<Description, 'labels'> {
  const names = config['id2label']
  return isRecord(names) ? { labels: Object.keys(names).map((_, i) => String(names[i])) } : {}
}

const describe = async ({ task, fields, objective, folder }: Target): Promise<Omit<Description, 'adapters'>> => ({
  task,
  fields,
  views: objective.views,
  ...labelsOf(objective),
  version: await digestOfModel(folder),
})

/** The target of a call. @throws AttuneError `BAD_ARGUMENT` */
function targetFor(targets: Targets, adapter: string | undefined): Target {
  const found = targets.get(adapter ?? ITSELF)
  if (found !== undefined) return found
  const names = [...targets.keys()].filter((name) => typeof name === 'string')
  const near = adapter === undefined ? names : nearest(adapter, names)
  throw new AttuneError(
    'BAD_ARGUMENT',
    adapter === undefined
      ? 'predict: expected the name of an adapter, since the base model has no head for a task'
      : `predict: expected the name of an open adapter, got "${adapter}"`,
    near.length > 0
      ? `Pass one of the open adapters: predict(rows, { adapter: '${near[0]}' }).`
      : `Open it with the model: openPredictor(folder, { adapters: { name: 'its folder' } }).`,
  )
}

/** A queue for all targets, whose batches hold rows of one target each. */
function queueOf(batchSize: number) {
  const targets = new WeakMap<Encoded, Target>()
  return createPredictionQueue<{ readonly target: Target; readonly example: Example }>({
    batchSize,
    encode({ target, example }) {
      const { objective, clean = (given) => given } = target
      const item: Encoded = objective.encodeUnlabelled(clean(example))
      targets.set(item, target)
      return item
    },
    groupOf: (item) => targets.get(item),
    predict(items) {
      const { forward, params } = targets.get(items[0]!)!
      return forward.batch(params, items)
    },
  })
}

/** Creates a predictor of a model and of adapters on it, with one prediction queue. */
export async function predictorOfTargets(
  targets: Targets,
  { warnings, close }: Pick<Loaded, 'warnings' | 'close'>,
): Promise<Predictor> {
  const [first] = targets.values()
  const queue = queueOf(first!.forward.batchSize)
  const adapters: Record<string, Omit<Description, 'adapters'>> = {}
  for (const [name, target] of targets) if (typeof name === 'string') adapters[name] = await describe(target)
  const describes = await describe(targets.get(ITSELF) ?? first!)
  return {
    describes: Object.keys(adapters).length === 0 ? describes : { ...describes, adapters },
    warnings,
    async predict(examples, { adapter, ...how } = {}) {
      const target = targetFor(targets, adapter)
      return queue.predict(
        requireList(examples).map((example) => ({ target, example })),
        how,
      )
    },
    async close() {
      await queue.close()
      for (const { forward } of targets.values()) forward.dispose()
      await close()
    },
  }
}

/** Creates a predictor of a loaded model, with a prediction queue. */
export const predictorOf = ({ warnings, close, ...target }: Loaded): Promise<Predictor> =>
  predictorOfTargets(new Map([[ITSELF, target]]), { warnings, close })
