import type { Params } from '@attune/core'
import { type Tensor, add, matMul, reshape } from '@tensorflow/tfjs-core'
import { hookOf } from './layer-hook.js'
import { parameter } from './parameter.js'

/** Layout of a linear layer's parameters. */
export interface LinearOptions {
  /** True if the layer has a bias. Default: true. */
  readonly bias?: boolean
  /** True if the weight is `[in, out]` instead of `[out, in]`, as in GPT-2 checkpoints. Default: false. */
  readonly inputFirst?: boolean
}

/**
 * Linear layer: `y = x·Wᵀ + b`, with `W` from `name.weight` `[out, in]` and `b` from `name.bias` `[out]`. `x` is `[…,
 * in]`, the result `[…, out]`. Leading dimensions are flattened into one, because one large matrix product is faster
 * on every backend than a batch of small ones. A {@link LayerHook} receives the flattened rows, `[rows, in]`; if it computes the product
 * itself, the parameters need not have the weight.
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { linear } from '@attune/nn'
 * import { tensor } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const params = { 'head.weight': tensor([[1, 2], [3, 4]]), 'head.bias': tensor([0.5, 0]) }
 * console.log(linear(params, 'head', tensor([[1, 1]])).arraySync()) // [ [ 3.5, 7 ] ]
 * ```
 */
export function linear(
  params: Params,
  name: string,
  x: Tensor,
  { bias = true, inputFirst = false }: LinearOptions = {},
): Tensor {
  const weight = params[`${name}.weight`]
  const rows = reshape(x, [-1, x.shape.at(-1)!])
  const compute = (input: Tensor, w: Tensor = parameter(params, `${name}.weight`)): Tensor => {
    const product = matMul(input, w, false, !inputFirst)
    return bias ? add(product, parameter(params, `${name}.bias`)) : product
  }
  const hook = hookOf(params)
  const site = { kind: 'linear', name, params, inputFirst, ...(weight === undefined ? {} : { weight }) } as const
  const y = hook === undefined ? compute(rows) : hook(site, rows, compute)
  return reshape(y, [...x.shape.slice(0, -1), y.shape.at(-1)!])
}
