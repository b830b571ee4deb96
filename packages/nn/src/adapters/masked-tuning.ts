import { type Adapted, type Engine, type HostTree, type Model, type Params, mapParams } from '@attune/core'
import { type Tensor, cast, where, zerosLike } from '@tensorflow/tfjs-core'
import type { HostMasks } from './largest-scores.js'
import { packMasks } from './packed-masks.js'
import { splitParams } from './split-params.js'
import { isOwn, isTokenTable } from './train-only.js'

/** A choice of weights that train. */
export interface MaskedTuning {
  /** Name of the adapter, for errors. */
  readonly adapter: string
  readonly engine: Engine
  /** Masks of the parameters in which weights are chosen. */
  readonly masks: HostMasks
  /**
   * `freeze`: the chosen weights and heads train, everything else keeps its value. `zero-and-keep`: weights that are not chosen are set to
   * zero and stay zero, everything else trains.
   */
  readonly mode: 'freeze' | 'zero-and-keep'
  /** True for masks that depend on data: checkpoints then hold them. Default: false. */
  readonly fromData?: boolean
  /** Parameters that train in full in addition. Default: none. */
  alsoTrains?(name: string): boolean
}

const pick = (from: Params, names: readonly string[]): Params =>
  Object.fromEntries(names.map((name) => [name, from[name]!]))

/** The weights with zeros, not negative zeros, where the mask is 0. */
const zeroed = (engine: Engine, weights: Params, masks: Params): Params => {
  const select = (w: Tensor, mask: Tensor): Tensor => where(cast(mask, 'bool'), w, zerosLike(w))
  const compiled = engine.compile((w: Params, m: Params): Params =>
    mapParams(select as (...t: Tensor[]) => Tensor, w, m),
  )
  const result = compiled(weights, masks)
  compiled.dispose()
  return result
}

/** Masks of parameters of which every weight is chosen. */
const wholeMasks = (params: Params, isWhole: (name: string) => boolean): HostMasks =>
  Object.fromEntries(
    Object.entries(params)
      .filter(([name]) => isWhole(name))
      .map(([name, { shape, size }]) => [name, { shape, dtype: 'float32', values: new Float32Array(size).fill(1) }]),
  )

/**
 * Partial fine-tuning of single weights. The updates of the others are multiplied by 0, after weight decay and momentum, so their values
 * stay the same bit for bit. A parameter of which no weight is chosen is frozen and has no gradient; one of which all are chosen has no
 * mask. Gradients and optimizer state exist for all weights of a parameter with a mask. A head trains in full, unless it has a row for each
 * token of the vocabulary.
 * @throws AttuneError `NOTHING_TRAINS`
 */
export function maskedTuning(
  model: Model,
  params: Params,
  { adapter, engine, masks: given, mode, fromData = false, alsoTrains = () => false }: MaskedTuning,
): Adapted {
  const masks = { ...wholeMasks(params, (name) => given[name] === undefined && alsoTrains(name)), ...given }
  const has = (name: string, value: number): boolean => (masks[name]!.values as Float32Array).includes(value)
  const isOther = (name: string): boolean =>
    mode === 'zero-and-keep' || !(isOwn(model, name) || isTokenTable(model, params, name))
  const incomplete = Object.keys(masks).filter((name) => has(name, 0))
  const mixed = incomplete.filter((name) => has(name, 1))
  const split = splitParams(adapter, params, (name) => (masks[name] === undefined ? isOther(name) : has(name, 1)))
  const onDevice = (names: readonly string[]): Params =>
    engine.put(Object.fromEntries(names.map((name) => [name, masks[name]!])) as HostTree) as Params
  const updates = onDevice(mixed)
  const made = { model, ...split, masks: updates, ...(fromData ? { choice: packMasks(engine, masks) } : {}) }
  if (mode === 'freeze' || incomplete.length === 0) return made
  const unchosen = onDevice(incomplete.filter((name) => !has(name, 1)))
  const zeros = zeroed(engine, pick(params, incomplete), { ...updates, ...unchosen })
  engine.release(unchosen)
  const withZeros = (some: Params): Params =>
    Object.fromEntries(Object.entries(some).map(([name, p]) => [name, zeros[name] ?? p]))
  return { ...made, trainable: withZeros(split.trainable), frozen: withZeros(split.frozen) }
}
