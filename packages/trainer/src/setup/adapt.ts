import type { Adapted, Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { readAdapter, requireSaveable } from '../files/saved-adapter.js'
import type { Components } from './compose.js'
import { adaptAround } from './frozen-encoder.js'
import { type TrainingData, trainingPass } from './pass-over.js'
import { type Sizes, sizesOf } from './training-map.js'
import { countParameters } from './weights.js'

/**
 * Sorts the trainable parameters by name, the order in which a checkpoint returns them, so that sums over all of them (such as the
 * gradient norm) round identically before and after a resume.
 */
const sortedByName = (adapted: Adapted): Adapted => ({
  ...adapted,
  trainable: Object.fromEntries(Object.entries(adapted.trainable).sort(([a], [b]) => (a < b ? -1 : 1))),
})

/** An adapted model, ready for training. */
interface AdaptedModel {
  readonly adapted: Adapted
  /** The initial parameters of the base architecture, with any saved adapter merged. */
  readonly first: Params
  /** Numbers of values of the parameters before the adapter, by name. */
  readonly sizes: Sizes
  /** Frees weights that the adapter replaced. Call it once `first` is no longer needed. */
  release(): void
}

/**
 * Applies the adapter, which splits the parameters into trainable and frozen ones; loads a saved adapter if the configuration names one.
 * @throws AttuneError `BAD_ADAPTER`, `NO_ADAPTER_FILES`, and the errors of the adapter
 */
export async function adaptModel(given: TrainingData, components: Components, params: Params): Promise<AdaptedModel> {
  const { engine, objective } = components
  const { adapter, reference, saveAdapter } = given.plan.config
  const from = adapter.common?.['from'] as string | undefined
  const saved = from === undefined ? undefined : readAdapter(engine, from, countParameters(params))
  const input = { pass: trainingPass(given, components, params), ...(saved === undefined ? {} : { saved }) }
  const adapted = sortedByName(await adaptAround(components, params, input))
  if (saveAdapter) requireSaveable(adapted, adapter.plugin.name)
  const isCompared = reference === 'start' || objective.needsReference === true
  const first = saved !== undefined && isCompared ? mergeAdapter(components, adapted) : params
  const used = new Set<Tensor>(
    [adapted.trainable, adapted.frozen, adapted.masks ?? {}].flatMap((each) => Object.values(each)),
  )
  const all = [params, saved?.tensors ?? {}, first].flatMap((each) => Object.values(each))
  const unused = [...new Set(all)].filter((tensor) => !used.has(tensor))
  return { adapted, first, sizes: sizesOf(params), release: () => engine.release(Object.fromEntries(unused.entries())) }
}

function mergeAdapter({ engine }: Components, { merge, trainable, frozen }: Adapted): Params {
  const compiled = engine.compile(merge)
  const merged = compiled(trainable, frozen) as Params
  compiled.dispose()
  return merged
}
