import { type Adapted, AttuneError, type LayerHook, type Mode, type Model, type Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { withHook } from '../layers/layer-hook.js'
import { toPeft } from './peft-layout.js'
import { isOwn, isTokenTable } from './train-only.js'

/** A fine-tuning method that adds tensors to linear layers of a frozen model. */
export interface LayerMethod {
  /** Name of the adapter, for errors. */
  readonly adapter: string
  /** Names of the adapted layers, without `.weight`. */
  readonly layers: readonly string[]
  /** The tensors that train, by name: new ones, named after their layer, and heads of a saved adapter instead of those of the model. */
  readonly tensors: Params
  /** Frozen tensors by name that the method reads or that replace the model's own weights. Default: none. */
  readonly frozen?: Params
  /** Names of weights that `frozen` holds in another form: the adapted model lacks them. Default: none. */
  readonly replaces?: ReadonlySet<string>
  /**
   * Returns the hook of a forward pass. It reports each layer that it adapts.
   * @param report takes the layer's name
   */
  hook(mode: Mode, report: (layer: string) => void): LayerHook
  /**
   * Returns the weights that the method changes, merged, by name. Absent if the tensors cannot be merged into weights of the model:
   * they are then saved beside it.
   * @param all all tensors: the model's, and those of the method
   */
  merge?(all: Params): Params
  /**
   * Content of peft's `adapter_config.json`. Absent if peft has no such method.
   * @param heads names of the parameters that train in full
   */
  config?(heads: readonly string[]): Readonly<Record<string, unknown>>
  /** Returns the tensors to save, by the adapter's names. Default: those that train. */
  saved?(trainable: Params): Params
}

/** The weights of layers after a merge, by name. */
export const mergedWeights = (layers: readonly string[], weight: (layer: string) => Tensor): Params =>
  Object.fromEntries(layers.map((layer) => [`${layer}.weight`, weight(layer)]))

/** @throws AttuneError `UNKNOWN_TARGET` if the model did not compute one of the layers as a linear layer. */
export function requireComputed(adapter: string, layers: readonly string[], computed: ReadonlySet<string>): void {
  const missing = layers.filter((layer) => !computed.has(layer))
  if (missing.length === 0) return
  throw new AttuneError(
    'UNKNOWN_TARGET',
    `adapter ${adapter}: the model does not compute ${missing.slice(0, 3).join(', ')} as a linear layer`,
    'Remove it from `targets`, and list the layers to adapt.',
  )
}

/** The model with the method's hook on its layers. The first forward pass in training checks that each layer was adapted. */
function hookedModel(model: Model, { adapter, layers, hook }: LayerMethod): Model {
  let checked = false
  return {
    ...model,
    forward(params, inputs, mode) {
      const computed = new Set<string>()
      const compute = () =>
        model.forward(
          withHook(
            params,
            hook(mode, (layer) => void computed.add(layer)),
          ),
          inputs,
          mode,
        )
      if (mode.training && !checked) {
        // Outputs are computed lazily: read all of them once, to see every layer that the model computes.
        Object.values(compute())
        requireComputed(adapter, layers, computed)
        checked = true
      }
      return compute()
    },
  }
}

/**
 * Divides the parameters of a frozen model: the tensors of an adapter train, and so do the `heads`, parameters that only a head of the
 * objective uses, except a head with a row for each token of the vocabulary.
 * @param tensors the adapter's tensors by name; one with the name of a parameter replaces it
 */
export function trainHeads(model: Model, params: Params, tensors: Params) {
  const trains = (name: string): boolean =>
    Object.hasOwn(tensors, name) || (!isOwn(model, name) && !isTokenTable(model, params, name))
  const order = Object.keys(params)
  const heads: readonly string[] = order.filter(trains)
  const chosen = (names: readonly string[]): Params => Object.fromEntries(names.map((name) => [name, params[name]!]))
  return {
    heads,
    trainable: { ...chosen(heads), ...tensors } as Params,
    frozen: chosen(order.filter((name) => !trains(name))),
  }
}

/** The merge of a method: the parameters of the model by name, in their order. */
const mergeOf =
  (order: readonly string[], weights: (all: Params) => Params) =>
  (trainable: Params, frozen: Params): Params => {
    const all = { ...frozen, ...trainable }
    const merged = weights(all)
    return Object.fromEntries(order.map((name) => [name, merged[name] ?? all[name]!]))
  }

/**
 * Adapts linear layers of a frozen model. The tensors of the method train; a head of the objective, and parameters that only such a
 * head uses, train in full, as with peft's `modules_to_save`; a head with a row for each token of the vocabulary is frozen.
 */
export function adaptLayers(model: Model, params: Params, method: LayerMethod): Adapted {
  const { tensors, frozen: fixed = {}, replaces = new Set<string>(), saved = (trainable: Params) => trainable } = method
  const order = Object.keys(params)
  const { heads, trainable, frozen } = trainHeads(model, params, tensors)
  return {
    model: hookedModel(model, method),
    trainable,
    frozen: { ...Object.fromEntries(Object.entries(frozen).filter(([name]) => !replaces.has(name))), ...fixed },
    ...(method.merge === undefined ? {} : { merge: mergeOf(order, (all) => method.merge!(all)) }),
    ...(method.config === undefined
      ? {}
      : { config: method.config(heads), tensors: (trained: Params) => toPeft(saved(trained)) }),
  }
}
