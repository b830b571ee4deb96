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

/** The parameters whose names begin with a prefix, under their whole names, and those that a layer hook reads. */
export function under(params: Params, prefix: string): Params {
  const hook = hookOf(params)
  const shared = new Set(hook?.reads)
  const wanted = ([name]: [string, unknown]): boolean => name.startsWith(prefix) || shared.has(name)
  return withHook(Object.fromEntries(Object.entries(params).filter(wanted)), hook)
}
