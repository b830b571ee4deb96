import type { Tensor } from '@tensorflow/tfjs-core'
import type { Params } from '../tree.js'

/**
 * A layer at which a {@link LayerHook} may act.
 * - `linear`: `x` is `[rows, in]`, the output `[rows, out]`
 * - `embedding`: `x` is int32 ids `[…]`, the output `[…, width]`
 * - `attention`: `x` is the attention block's input `[batch, length, hidden]`, the output that of its output projection, of the same
 *   shape or `[batch, 1, hidden]` where only the first token is read; where a decoder attends to an encoder, `x` is the decoder's
 */
export interface LayerSite {
  readonly kind: 'linear' | 'embedding' | 'attention'
  /** The checkpoint's name of the layer: its weight is `${name}.weight`. */
  readonly name: string
  /**
   * The parameters of the forward pass, those of an adapter among them. Inside of a stack of layers only those whose names begin with
   * the name of the stack's layer, and what the hook `reads`.
   */
  readonly params: Params
  /** The layer's weight in the checkpoint's layout; absent for `attention`. */
  readonly weight?: Tensor
  /** True if a linear layer's weight is `[in, out]` rather than `[out, in]`. */
  readonly inputFirst?: boolean
}

/**
 * Acts around a layer: adds to its output, scales it, replaces its input or its weight, or wraps the whole. `compute` is the
 * layer itself (with another weight, if one is given); the result takes the place of the layer's output.
 */
export interface LayerHook {
  (site: LayerSite, x: Tensor, compute: (x: Tensor, weight?: Tensor) => Tensor): Tensor
  /** Names of parameters that several layers share, so that each finds them in `site.params`. */
  readonly reads?: readonly string[]
}
