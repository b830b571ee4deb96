import type { Mode, StepKey } from '@attune/core'
import { type Tensor, cast, div, greaterEqual, mul, sub } from '@tensorflow/tfjs-core'
import { dropoutMask } from './dropout-mask.js'
import { noise } from './noise.js'

/** The mode of the `place`-th sub-layer, with randomness of its own. Places count from 0, below `1000` at each level. */
export const modeAt = (mode: Mode, place: number): Mode =>
  mode.training ? { ...mode, key: foldKey(mode.key, place) } : mode

const foldKey = (key: StepKey, place: number): StepKey => ({
  seed: key.seed,
  stream: (key.stream * 1000 + place + 1) | 0,
})

/** Zeroes each entry with probability `rate`, a tensor `[]` that may differ from step to step. */
function scheduledDropout(x: Tensor, rate: Tensor, key: StepKey): Tensor {
  const kept = greaterEqual(noise(key, x.shape, 'uniform'), rate)
  return mul(x, mul(cast(kept, 'float32'), div(1, sub(1, rate))))
}

/**
 * Inverted dropout: in training each entry is zeroed with probability `rate`, in [0, 1), and the others are divided by
 * `1 − rate`; otherwise `x` itself. A rate that follows a schedule is a tensor `[]`; its masks are other ones than those of a number.
 * Source: Srivastava et al., JMLR 15, 2014.
 */
export function dropout(x: Tensor, rate: number | Tensor, mode: Mode): Tensor {
  if (!mode.training || rate === 0) return x
  return typeof rate === 'number' ? mul(x, dropoutMask(mode.key, rate, x.shape)) : scheduledDropout(x, rate, mode.key)
}
