import type { Adapted, Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { readAdapter, requireSaveable } from '../files/saved-adapter.js'
import type { Components } from './compose.js'
import { adaptAround } from './frozen-encoder.js'
import { type PassOver, passOver } from './pass-over.js'
import { countParameters } from './weights.js'

/**
 * The trainable parameters in the order of their names, which is the order in which a checkpoint gives them back: sums
 * over all of them, such as the gradient's norm, then round alike before and after.
 */
const inNameOrder = (adapted: Adapted): Adapted => ({
  ...adapted,
  trainable: Object.fromEntries(Object.entries(adapted.trainable).sort(([a], [b]) => (a < b ? -1 : 1))),
})

/** The model made ready for training. */
interface AdaptedFirst {
  readonly adapted: Adapted
  /** The plain parameters that training starts from: with a saved adapter, what it is merged into. */
  readonly first: Params
  /** Frees the tensors that neither train nor stay frozen: weights that the adapter replaced. To be called once `first` is read. */
  release(): void
}

/**
 * Lets the adapter divide the parameters into those that train and those that stay frozen, from a saved one where the configuration
 * names it.
 * @throws AttuneError `BAD_ADAPTER`, `NO_ADAPTER_FILES`, and what the adapter throws
 */
export async function adaptFirst(given: PassOver, parts: Components, params: Params): Promise<AdaptedFirst> {
  const { engine, objective } = parts
  const { adapter, reference, saveAdapter } = given.plan.config
  const from = adapter.common?.['from'] as string | undefined
  const saved = from === undefined ? undefined : readAdapter(engine, from, countParameters(params))
  const input = { pass: passOver(given, parts, params), ...(saved === undefined ? {} : { saved }) }
  const adapted = inNameOrder(await adaptAround(parts, params, input))
  if (saveAdapter) requireSaveable(adapted, adapter.plugin.name)
  const isCompared = reference === 'start' || objective.needsReference === true
  const first = saved !== undefined && isCompared ? mergedIn(parts, adapted) : params
  const used = new Set<Tensor>(
    [adapted.trainable, adapted.frozen, adapted.masks ?? {}].flatMap((each) => Object.values(each)),
  )
  const all = [params, saved?.tensors ?? {}, first].flatMap((each) => Object.values(each))
  const unused = [...new Set(all)].filter((tensor) => !used.has(tensor))
  return { adapted, first, release: () => engine.release(Object.fromEntries(unused.entries())) }
}

function mergedIn({ engine }: Components, { merge, trainable, frozen }: Adapted): Params {
  const compiled = engine.compile(merge)
  const merged = compiled(trainable, frozen) as Params
  compiled.dispose()
  return merged
}
