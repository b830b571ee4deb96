import { OPTIMIZER, type Optimizer, definePlugin, mapParams } from '@attune/core'
import { parameterNoise } from '@attune/nn'
import { add, mul, pow, sqrt } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Gradient noise: adds annealed Gaussian noise to the gradient.
 *
 *     g ← g + N(0, variance / step^decay)
 *
 * A link before an optimizer. The noise of a step depends on the run's seed, the step and the parameter's name, so a resumed run adds the
 * same. The variance is annealed, not the standard deviation.
 */
export const gradientNoise = definePlugin({
  kind: OPTIMIZER,
  name: 'gradient-noise',
  summary: 'Annealed Gaussian noise, added to the gradient',
  source: 'Neelakantan et al., Adding Gradient Noise Improves Learning for Very Deep Networks, 2015, equation 1',
  exceptions: {
    parabola: 'reaches 1e-3 in 100 steps: the noise is part of every step',
    leastSquares: 'reaches 7e-3 in 100 steps: the noise is part of every step',
  },
  options: z.strictObject({
    variance: z.number().min(0).default(0.01).describe('Variance of the noise at the first step'),
    decay: z.number().min(0).default(0.55).describe('Exponent of the step by which the variance is divided'),
  }),
  create: ({ variance, decay }): Optimizer<Record<never, never>> => ({
    link: 'before',
    init: () => ({}),
    update(grads, state, _params, hyper) {
      const deviation = sqrt(mul(variance, pow(hyper.step, -decay)))
      const noise = parameterNoise(hyper, 'gradient-noise', grads, 'normal')
      return { updates: mapParams((g, n) => add(g, mul(deviation, n)), grads, noise), state }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer gradient-noise': typeof gradientNoise
  }
}

export default gradientNoise
