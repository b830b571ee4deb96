import type { Mode, Params } from '@attune/core'
import { type Tensor, add, customGrad, engine, mul, reshape, slice, zerosLike } from '@tensorflow/tfjs-core'
import { besideOf, withBeside } from '../layers/beside-linear.js'

/** A scalar 0 that cannot be computed before `dy` is there. */
const zeroAfter = (dy: Tensor): Tensor => mul(reshape(slice(reshape(dy, [-1]), 0, 1), []), 0)

/**
 * Gradients while gradients are being computed. TF.js has one tape at a time: the inner gradient would take the outer one's
 * away.
 */
function innerGradients(f: () => Tensor, xs: Tensor[], dy: Tensor): readonly (Tensor | null)[] {
  const { state } = engine()
  const tape = state.activeTape
  try {
    return engine().gradients(f, xs, dy as never, true).grads
  } finally {
    state.activeTape = tape
  }
}

/**
 * `layer(params, ...tensors)`; where `mode` says so, nothing that the layer computes is kept for its gradient, which
 * computes it again. The result and the gradients are the same, memory holds one layer's intermediates instead of all
 * layers', and a step takes about a third longer. A tensor that is computed before and that `layer` reads must be among
 * `tensors`: others may be gone when it is computed again.
 * Source: Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016, section 4.
 */
export function recomputed(
  layer: (params: Params, ...tensors: Tensor[]) => Tensor,
  params: Params,
  tensors: readonly Tensor[],
  mode: Mode,
): Tensor {
  if (!mode.training || mode.recompute !== true) return layer(params, ...tensors)
  const names = Object.keys(params)
  const apply = (all: readonly Tensor[]): Tensor => {
    const [own, others] = [all.slice(0, names.length), all.slice(names.length)]
    const named = Object.fromEntries(names.map((name, i) => [name, own[i]!]))
    return layer(withBeside(named, besideOf(params)), ...others)
  }
  return customGrad((...given) => {
    const save = given.pop() as (tensors: Tensor[]) => void
    const inputs = given as Tensor[]
    save(inputs)
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      // Without this, a compiler sees the same computation twice, does it once, and keeps it after all.
      const later = saved.map((tensor, i) => (i < names.length ? tensor : add(tensor, zeroAfter(dy))))
      return innerGradients(() => apply(later), later, dy).map((grad, i) => grad ?? zerosLike(later[i]!))
    }
    return { value: apply(inputs), gradFunc: gradFunc as never }
  })(...names.map((name) => params[name] as Tensor), ...tensors)
}
