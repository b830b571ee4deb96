import type { Params } from '@attune/core'
import { type Tensor, matMul } from '@tensorflow/tfjs-core'
import { halfTableProduct, hasHalfTable } from '../adapters/half-table.js'
import { hasNf4, nf4TableProduct } from '../adapters/nf4-weight.js'
import { parameter } from '../layers/parameter.js'

/**
 * Products of states with each row of a table, `[rows, width]` → `[rows, entries]`: logits of tokens without their biases.
 * @param name name of the table, which may be in NF4 or float16
 */
export function tokenProducts(params: Params, name: string, states: Tensor): Tensor {
  const layer = name.replace(/\.weight$/, '')
  if (hasNf4(params, layer)) return nf4TableProduct(states, params, layer)
  if (hasHalfTable(params, layer)) return halfTableProduct(states, params, layer)
  return matMul(states, parameter(params, name), false, true)
}
