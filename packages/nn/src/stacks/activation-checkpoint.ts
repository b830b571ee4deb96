import type { Mode, Params } from '@attune/core'
import { type Tensor, add, customGrad, mul, reshape, slice, zerosLike } from '@tensorflow/tfjs-core'
import { taped } from '../engine/gradients.js'
import { hookOf, withHook } from '../layers/layer-hook.js'

/** A scalar 0 that depends on `dy`. */
const zeroAfter = (dy: Tensor): Tensor => mul(reshape(slice(reshape(dy, [-1]), 0, 1), []), 0)

/**
 * Gradient checkpointing: `layer(params, ...tensors)`, whose intermediates are computed again in the backward pass if
 * `mode.gradientCheckpointing` is set. Result and gradients are unchanged; memory holds one layer's intermediates
 * instead of all layers', and a step takes about a third longer. Every earlier tensor that `layer` reads must be in
 * `tensors`: others may be disposed when it is computed again.
 * Source: Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016, section 4.
 */
export function activationCheckpoint(
  layer: (params: Params, ...tensors: Tensor[]) => Tensor,
  params: Params,
  tensors: readonly Tensor[],
  mode: Mode,
): Tensor {
  if (!mode.training || mode.gradientCheckpointing !== true) return layer(params, ...tensors)
  const names = Object.keys(params)
  const apply = (all: readonly Tensor[]): Tensor => {
    const [own, others] = [all.slice(0, names.length), all.slice(names.length)]
    const named = Object.fromEntries(names.map((name, i) => [name, own[i]!]))
    return layer(withHook(named, hookOf(params)), ...others)
  }
  return customGrad((...given) => {
    const save = given.pop() as (tensors: Tensor[]) => void
    const inputs = given as Tensor[]
    save(inputs)
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      // Prevents common-subexpression elimination, with which a compiler would keep the first computation instead.
      const later = saved.map((tensor, i) => (i < names.length ? tensor : add(tensor, zeroAfter(dy))))
      return taped(() => apply(later), later, dy).grads.map((grad, i) => grad ?? zerosLike(later[i]!))
    }
    return { value: apply(inputs), gradFunc: gradFunc as never }
  })(...names.map((name) => params[name] as Tensor), ...tensors)
}
