import { AttuneError, type Params, nearest } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { hasHalfTable, wholeHalfTable } from '../adapters/half-table.js'
import { hookOf, withHook } from './layer-hook.js'

/**
 * Returns the parameter of a name. A table that an adapter holds in float16 is converted to float32.
 * @throws AttuneError `MISSING_PARAMETER` with the nearest existing names
 */
export function parameter(params: Params, name: string): Tensor {
  const tensor = params[name]
  if (tensor !== undefined) return tensor
  const layer = name.replace(/\.weight$/, '')
  if (hasHalfTable(params, layer)) return wholeHalfTable(params, layer)
  const near = nearest(name, Object.keys(params))
  throw new AttuneError(
    'MISSING_PARAMETER',
    `expected a parameter "${name}", not found among ${Object.keys(params).length} parameters`,
    near.length > 0 ? `Nearest: ${near.join(', ')}.` : 'Load a checkpoint of the same architecture.',
  )
}

/**
 * Returns the parameters whose names start with a prefix, under their full names, and those that a layer hook reads.
 */
export function under(params: Params, prefix: string): Params {
  const hook = hookOf(params)
  const shared = new Set(hook?.reads)
  const wanted = ([name]: [string, unknown]): boolean => name.startsWith(prefix) || shared.has(name)
  return withHook(Object.fromEntries(Object.entries(params).filter(wanted)), hook)
}

/** Returns the parameters whose names start with a prefix, under the rest of their names: those of a part under its own names. */
export const withoutPrefix = (params: Params, prefix: string): Params =>
  Object.fromEntries(
    Object.entries(params).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  )
