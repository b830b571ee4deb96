import type { Mode, StepKey } from '@attune/core'
import { type Tensor, cast, div, greaterEqual, mul, sub } from '@tensorflow/tfjs-core'
import { dropoutMask } from './dropout-mask.js'
import { noise } from './noise.js'

/**
 * Mode of the `index`-th sub-layer, with its own random stream. Sub-layers count from 0 and stay below `1000` at each
 * level.
 */
export const modeAt = (mode: Mode, index: number): Mode =>
  mode.training ? { ...mode, key: keyAt(mode.key, index) } : mode

/** Derives the random key of a sub-layer from that of the step. */
export const keyAt = (key: StepKey, index: number): StepKey => ({
  seed: key.seed,
  stream: (key.stream * 1000 + index + 1) | 0,
})

/** Dropout with a scheduled `rate`, a tensor `[]` that may differ from step to step. */
function scheduledDropout(x: Tensor, rate: Tensor, key: StepKey): Tensor {
  const kept = greaterEqual(noise(key, x.shape, 'uniform'), rate)
  return mul(x, mul(cast(kept, 'float32'), div(1, sub(1, rate))))
}

/**
 * Inverted dropout: in training each entry is zeroed with probability `rate`, in [0, 1), and the others are divided
 * by `1 − rate`; in inference returns `x` itself. A scheduled rate is a tensor `[]`, whose masks differ from those of
 * a number. Multiplying all entries by `1 − rate` without a random mask, as some textbooks print dropout, is wrong: that is
 * the inference step of dropout that is not inverted, and regularizes nothing.
 * Source: Srivastava et al., JMLR 15, 2014.
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { dropout } from '@attune/nn'
 * import { ones, tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const key = { seed: tensor1d([7, 0], 'int32'), stream: 0 }
 * console.log(dropout(ones([6]), 0.5, { training: true, key }).arraySync()) // [ 0, 2, 0, 2, 2, 2 ]
 * console.log(dropout(ones([6]), 0.5, { training: false }).arraySync()) // [ 1, 1, 1, 1, 1, 1 ]
 * ```
 */
export function dropout(x: Tensor, rate: number | Tensor, mode: Mode): Tensor {
  if (!mode.training || rate === 0) return x
  return typeof rate === 'number' ? mul(x, dropoutMask(mode.key, rate, x.shape)) : scheduledDropout(x, rate, mode.key)
}
