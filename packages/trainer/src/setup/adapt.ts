import type { Adapted, AdapterInput, Model, Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { readAdapter, requireSaveable } from '../files/saved-adapter.js'
import { type AddedTokens, addedTokenWarnings, trainAddedRows } from './added-tokens.js'
import type { Checkpoint } from '../files/checkpoint.js'
import type { Components } from './compose.js'
import { adaptAround } from './frozen-encoder.js'
import { type TrainingData, trainingPass } from './pass-over.js'
import { type Sizes, sizesOf } from './training-map.js'
import { countParameters } from './weights.js'

/** An adapted model whose base can be saved. */
export interface AdaptedModel extends Adapted {
  /**
   * Returns the parameters of the base architecture: with the adapter merged in or, without a merge, those of the base and the heads
   * that trained in full.
   */
  base(trainable: Params, frozen: Params): Params
}

/**
 * Sorts the trainable parameters by name, the order in which a checkpoint returns them, so that sums over all of them (such as the
 * gradient norm) round identically before and after a resume.
 */
const sortedByName = (adapted: Adapted): Adapted => ({
  ...adapted,
  trainable: Object.fromEntries(Object.entries(adapted.trainable).sort(([a], [b]) => (a < b ? -1 : 1))),
})

/** An adapted model with the parameters `names` of its base. */
const withBase = (adapted: Adapted, names: readonly string[]): AdaptedModel => ({
  ...adapted,
  base:
    adapted.merge ??
    ((trainable, frozen) => Object.fromEntries(names.map((name) => [name, trainable[name] ?? frozen[name]!]))),
})

/** An adapted model, ready for training. */
interface AdaptedStart {
  readonly adapted: AdaptedModel
  /** The initial model, before the adapter or with a saved one, and its parameters. */
  readonly first: { readonly model: Model; readonly params: Params }
  /** Warnings about rows of added tokens. */
  readonly warnings: readonly string[]
  /** Numbers of values of the parameters before the adapter, by name. */
  readonly sizes: Sizes
  /** Frees weights that the adapter replaced. Call it once `first` is no longer needed. */
  release(): void
}

/**
 * Applies the adapter, which splits the parameters into trainable and frozen ones; loads a saved adapter if the configuration names one.
 * @param added rows of added tokens; default: none
 * @param checkpoint that of a resumed run, which holds the choice of weights of an adapter that chooses them from data
 * @throws AttuneError `BAD_ADAPTER`, `NO_ADAPTER_FILES`, and the errors of the adapter
 */
export async function adaptModel(
  given: TrainingData,
  components: Components,
  params: Params,
  {
    added,
    checkpoint,
  }: { readonly added?: AddedTokens | undefined; readonly checkpoint?: Checkpoint | undefined } = {},
): Promise<AdaptedStart> {
  const { engine, model } = components
  const { adapter, saveAdapter, trainAddedTokens: trains } = given.plan.config
  const from = adapter.common?.['from'] as string | undefined
  const saved = from === undefined ? undefined : readAdapter(engine, from, countParameters(params))
  const { choice } = (checkpoint?.state ?? {}) as Pick<AdapterInput, 'choice'>
  const input = {
    pass: trainingPass(given, components, params),
    ...(saved === undefined ? {} : { saved }),
    ...(choice === undefined ? {} : { choice }),
  }
  const own = await adaptAround(components, params, input)
  const adapted = sortedByName(trains && added !== undefined ? trainAddedRows(engine, own, added) : own)
  if (saveAdapter || adapted.merge === undefined) requireSaveable(adapted, adapter.plugin.name)
  const used = new Set<Tensor>(
    [adapted.trainable, adapted.frozen, adapted.masks ?? {}].flatMap((each) => Object.values(each)),
  )
  const all = [params, saved?.tensors ?? {}].flatMap((each) => Object.values(each))
  const unused = [...new Set(all)].filter((tensor) => !used.has(tensor))
  return {
    adapted: withBase(adapted, Object.keys(params)),
    first:
      saved === undefined
        ? { model, params }
        : { model: adapted.model, params: { ...adapted.frozen, ...adapted.trainable } },
    warnings: addedTokenWarnings(adapted, added, { trains, adapter: adapter.plugin.name }),
    sizes: sizesOf(params),
    release: () => engine.release(Object.fromEntries(unused.entries())),
  }
}
