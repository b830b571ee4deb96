import type { Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'

/** Name of a factor of a layer's low-rank update in the form of an SVD: right singular vectors A, singular values E, left singular vectors B. */
export const tripletName = (layer: string, part: 'A' | 'B' | 'E'): string => `${layer}.lora_${part}`

/** The factors of a layer: `a` `[rank, in]`, `e` `[rank, 1]`, `b` `[out, rank]`. */
export const tripletOf = (
  params: Params,
  layer: string,
): { readonly a: Tensor; readonly e: Tensor; readonly b: Tensor } => ({
  a: params[tripletName(layer, 'A')]!,
  e: params[tripletName(layer, 'E')]!,
  b: params[tripletName(layer, 'B')]!,
})
