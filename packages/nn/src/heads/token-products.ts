import type { Params } from '@attune/core'
import { type Tensor, matMul } from '@tensorflow/tfjs-core'
import { hasNf4, nf4TableProduct } from '../adapters/nf4-weight.js'
import { parameter } from '../layers/parameter.js'

/**
 * Products of states with each row of a table, `[rows, width]` → `[rows, entries]`: logits of tokens without their biases.
 * @param name name of the table, which may be in NF4
 */
export function tokenProducts(params: Params, name: string, states: Tensor): Tensor {
  const layer = name.replace(/\.weight$/, '')
  return hasNf4(params, layer)
    ? nf4TableProduct(states, params, layer)
    : matMul(states, parameter(params, name), false, true)
}
