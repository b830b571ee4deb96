import { type Model, type Params, type SavedAdapter, excerpt } from '@attune/core'
import { fromPeft, malformedAdapter, requireShapes } from './peft-layout.js'

/** The tensors that a method reads from a saved adapter. */
export interface SavedLayout {
  /** Value of `peft_type` in `adapter_config.json`. */
  readonly type: string
  /** True for the names of the method's own tensors, under the model's names. */
  isOwn(name: string): boolean
  /** Returns the shapes of all tensors of the method, given those that were found. */
  shapes(found: Params): Readonly<Record<string, readonly number[]>>
}

/**
 * Tensors of a saved adapter under the model's own names: those of the method, and the heads that it trained.
 * @throws AttuneError `BAD_ADAPTER` for another method, an unknown or missing tensor, and another shape
 */
export function savedTensors(
  { model, params }: { readonly model: Model; readonly params: Params },
  { config, tensors }: SavedAdapter,
  { type, isOwn, shapes }: SavedLayout,
): Params {
  if (config['peft_type'] !== type)
    throw malformedAdapter(`is of peft_type ${excerpt(config['peft_type'])}, expected ${type}`, 'Use its own adapter.')
  const found = fromPeft(tensors, model, (name) => Object.hasOwn(params, name) || isOwn(name))
  const heads = Object.keys(found).filter((name) => Object.hasOwn(params, name))
  requireShapes(found, {
    ...shapes(found),
    ...Object.fromEntries(heads.map((name) => [name, params[name]!.shape])),
  })
  return found
}

/**
 * The linear layers that `target_modules` of a saved adapter lists, by full names or by suffixes. None if it is a regular expression or
 * if other fields restrict it.
 * @param linear names of the model's linear layers
 */
export function listedLayers({ config }: SavedAdapter, linear: readonly string[]): string[] {
  const { target_modules: targets, exclude_modules: excluded, layers_to_transform: only } = config
  if (!Array.isArray(targets) || (excluded ?? only ?? null) !== null) return []
  return linear.filter((layer) => targets.some((target) => layer === target || layer.endsWith(`.${target}`)))
}
