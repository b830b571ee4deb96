import type { Tensor } from '@tensorflow/tfjs-core'
import type { Params } from '../tree.js'
import type { StepKey } from './model.js'

/**
 * A layer that a {@link LayerHook} can modify.
 * - `linear`: `x` is `[rows, in]`, the output `[rows, out]`
 * - `embedding`: `x` is int32 ids `[…]`, the output `[…, width]`
 * - `attention`: `x` is the input of the attention block, `[batch, length, hidden]`. The output is that of the output projection,
 *   of the same shape, or `[batch, 1, hidden]` where only the first token is used. In cross-attention `x` is the decoder's input.
 */
export interface LayerSite {
  readonly kind: 'linear' | 'embedding' | 'attention'
  /** The layer's name in the checkpoint: its weight is `${name}.weight`. */
  readonly name: string
  /**
   * The parameters of the forward pass, including the adapter's. Inside a layer stack: only those whose names start with the name
   * of the current layer, and those listed in the hook's `reads`.
   */
  readonly params: Params
  /** The weight in the checkpoint's layout; absent for `attention`, and where an adapter stores it otherwise. */
  readonly weight?: Tensor
  /** True if the weight of a linear layer is `[in, out]` instead of `[out, in]`. */
  readonly inputFirst?: boolean
}

/**
 * Intercepts a layer: adds to its output, scales it, replaces its input or weight, or wraps it entirely. `compute` is the layer
 * itself, optionally with another weight. The result replaces the layer's output.
 */
export interface LayerHook {
  (site: LayerSite, x: Tensor, compute: (x: Tensor, weight?: Tensor) => Tensor): Tensor
  /** Names of parameters shared by several layers, to be included in each `site.params`. */
  readonly reads?: readonly string[]
  /**
   * Intercepts a whole layer of a stack, in training: the result replaces `compute()`. `x` is the layer's input, or its first token
   * where only that is read, so that both have the same shape, `[batch, length, hidden]`. The key is the layer's own.
   */
  layer?(at: { index: number; count: number; key: StepKey }, x: Tensor, compute: () => Tensor): Tensor
}
