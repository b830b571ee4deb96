import type { Mode, StepKey } from '@attune/core'
import { type Tensor, mul } from '@tensorflow/tfjs-core'
import { dropoutMask } from './dropout-mask.js'

/** The mode of the `place`-th sub-layer, with randomness of its own. Places count from 0, below `1000` at each level. */
export const fold = (mode: Mode, place: number): Mode =>
  mode.training ? { ...mode, key: foldKey(mode.key, place) } : mode

const foldKey = (key: StepKey, place: number): StepKey => ({
  seed: key.seed,
  stream: (key.stream * 1000 + place + 1) | 0,
})

/**
 * Inverted dropout: in training each entry is zeroed with probability `rate`, in [0, 1), and the others are divided by
 * `1 − rate`; otherwise `x` itself. Source: Srivastava et al., JMLR 15, 2014.
 */
export function dropout(x: Tensor, rate: number, mode: Mode): Tensor {
  if (!mode.training || rate === 0) return x
  return mul(x, dropoutMask(mode.key, rate, x.shape))
}
