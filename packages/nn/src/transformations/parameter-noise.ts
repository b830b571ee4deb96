import { type Hyper, type Params, deriveKey, key } from '@attune/core'
import { type Distribution, noise } from '../layers/noise.js'

/**
 * Noise of the shape of each parameter, that differs from step to step and depends only on the step's seed, on `label` (the use of the
 * noise) and on the parameter's name: not on the other parameters, and not on dropout.
 */
export const parameterNoise = (
  { seed }: Pick<Hyper, 'seed'>,
  label: string,
  params: Params,
  distribution: Distribution,
): Params =>
  Object.fromEntries(
    Object.entries(params).map(([name, { shape }]) => [
      name,
      noise({ seed, stream: deriveKey(key(0), label, name)[0] >>> 1 }, shape, distribution),
    ]),
  )
