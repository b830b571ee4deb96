import type { Params } from '@attune/core'
import { type Tensor, engine, zerosLike } from '@tensorflow/tfjs-core'

/**
 * A value and its gradients with respect to some tensors, null for tensors it does not depend on. May be called while
 * another gradient is being computed: TF.js has a single tape, which this function restores.
 * @param dy gradient with respect to the value; default: 1
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
 * Value of a scalar function and its gradient with respect to each parameter; zero if the value does not depend on
 * it. May be called inside a loss, for example for adversarial perturbations.
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { gradients } from '@attune/nn'
 * import { square, sum, tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const params = { w: tensor1d([1, 3]) }
 * const { value, grads } = gradients(() => sum(square(params.w)), params)
 * console.log(value.arraySync(), grads['w']!.arraySync()) // 10 [ 2, 6 ]
 * ```
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
