import { AttuneError, type Params, nearest } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { hookOf, withHook } from './layer-hook.js'

/**
 * The tensor of a name.
 * @throws AttuneError `MISSING_PARAMETER` with the nearest names there are.
 */
export function parameter(params: Params, name: string): Tensor {
  const tensor = params[name]
  if (tensor !== undefined) return tensor
  const near = nearest(name, Object.keys(params))
  throw new AttuneError(
    'MISSING_PARAMETER',
    `the model needs a parameter "${name}", and there is none among ${Object.keys(params).length}`,
    near.length > 0 ? `Nearest: ${near.join(', ')}.` : 'Load a checkpoint of the same architecture.',
  )
}

/** The parameters whose names begin with a prefix, under their whole names. */
export const under = (params: Params, prefix: string): Params =>
  withHook(Object.fromEntries(Object.entries(params).filter(([name]) => name.startsWith(prefix))), hookOf(params))
