import type { Params } from '@attune/core'
import { type Tensor, engine, zerosLike } from '@tensorflow/tfjs-core'

/**
 * A value and its gradients by some tensors, null where there is none. It may be called while other gradients are being computed:
 * TF.js has one tape at a time, and the inner gradient would take the outer one's away.
 * @param dy the gradient by the value; default: 1
 */
export function taped(f: () => Tensor, xs: readonly Tensor[], dy?: Tensor) {
  const { state } = engine()
  const tape = state.activeTape
  try {
    const { value, grads } = engine().gradients(f as never, [...xs], dy as never, true)
    return { value: value as Tensor, grads: grads as readonly (Tensor | null)[] }
  } finally {
    if (tape !== null && tape !== undefined) state.activeTape = tape
  }
}

/**
 * The value of a scalar function and its gradient by each parameter, zero where the value does not depend on it. It may be called
 * inside a loss: adversarial perturbation takes the gradient of an inner evaluation.
 */
export function gradients(f: () => Tensor, params: Params): { readonly value: Tensor; readonly grads: Params } {
  const entries = Object.entries(params)
  const { value, grads } = taped(
    f,
    entries.map(([, tensor]) => tensor),
  )
  return {
    value,
    grads: Object.fromEntries(entries.map(([name, tensor], i) => [name, grads[i] ?? zerosLike(tensor)])),
  }
}
