import type { Params } from '@attune/core'
import { type Tensor, customGrad, gather, reshape, scatterND } from '@tensorflow/tfjs-core'
import { hookOf } from './layer-hook.js'
import { parameter } from './parameter.js'

/**
 * Rows of a table: `name.weight` `[entries, width]` at int32 `ids` `[…]` gives `[…, width]`. In the gradient the rows of
 * equal ids add up; it is given as one scatter, because the gradient that TF.js has goes through the table once for
 * every entry of the vocabulary.
 */
export function embedding(params: Params, name: string, ids: Tensor): Tensor {
  const weight = parameter(params, `${name}.weight`)
  const hook = hookOf(params)
  if (hook === undefined) return takeRows(weight, ids)
  return hook({ kind: 'embedding', name, params, weight }, ids, (at, table = weight) => takeRows(table, at))
}

/**
 * Rows of `table` `[entries, width]` at int32 `ids` `[…]`: `[…, width]`. In the gradient the rows of equal ids add up; it is
 * given as one scatter, because the gradient that TF.js has goes through the table once for every entry.
 */
export const takeRows = (rows: Tensor, ids: Tensor): Tensor =>
  customGrad((input, save) => {
    const table = input as Tensor
    const [entries, width] = table.shape as [number, number]
    ;(save as (tensors: Tensor[]) => void)([ids])
    return {
      value: gather(table, ids as Tensor & { dtype: 'int32' }),
      gradFunc: (g: Tensor, saved: Tensor[]) =>
        scatterND(reshape(saved[0]!, [-1, 1]), reshape(g, [-1, width]), [entries, width]),
    }
  })(rows)
