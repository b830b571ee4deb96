import type { Params } from '@attune/core'
import { type Tensor, clone, customGrad, mul } from '@tensorflow/tfjs-core'

/**
 * Returns a scalar whose gradients with respect to `params` are the given ones, for a step that combines gradients in its own way.
 * @param grads gradient with respect to each parameter, of its shape; a constant
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { gradients, withGradients } from '@attune/nn'
 * import { scalar, tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const params = { w: tensor1d([1, 3]) }
 * const { value, grads } = gradients(() => withGradients(scalar(5), params, { w: tensor1d([7, 9]) }), params)
 * console.log(value.arraySync(), grads['w']!.arraySync()) // 5 [ 7, 9 ]
 * ```
 */
export function withGradients(value: Tensor, params: Params, grads: Params): Tensor {
  const names = Object.keys(params)
  const surrogate = customGrad((...given) => {
    const save = given.at(-1) as unknown as (tensors: Tensor[]) => void
    save(names.map((name) => grads[name]!))
    return {
      value: clone(value),
      gradFunc: (dy: Tensor, saved: Tensor[]) => saved.map((gradient) => mul(dy, gradient)),
    }
  })
  return surrogate(...names.map((name) => params[name]!))
}
