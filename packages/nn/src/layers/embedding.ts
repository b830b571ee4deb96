import type { LayerSite, Params } from '@attune/core'
import { type Tensor, customGrad, gather, reshape, scatterND } from '@tensorflow/tfjs-core'
import { halfRows, hasHalfTable } from '../adapters/half-table.js'
import { hasNf4, nf4Rows } from '../adapters/nf4-weight.js'
import { hookOf } from './layer-hook.js'
import { parameter } from './parameter.js'

/**
 * Embedding lookup: rows of `name.weight` `[entries, width]` at int32 `ids` `[…]`, as `[…, width]`. The gradient adds
 * up the rows of equal ids in one scatter; TF.js' own gradient iterates over the whole table. A table in NF4 or float16 is frozen, and
 * only the rows at the ids are dequantized.
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { embedding } from '@attune/nn'
 * import { tensor2d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const params = { 'words.weight': tensor2d([[0, 0], [1, 2], [3, 4]]) }
 * console.log(embedding(params, 'words', tensor2d([[2, 1]], undefined, 'int32')).arraySync()) // [ [ [ 3, 4 ], [ 1, 2 ] ] ]
 * ```
 */
export function embedding(params: Params, name: string, ids: Tensor): Tensor {
  const hook = hookOf(params)
  if (hasNf4(params, name) || hasHalfTable(params, name)) {
    const own = (at: Tensor): Tensor => (hasNf4(params, name) ? nf4Rows : halfRows)(params, name, at)
    const rows = (at: Tensor, table?: Tensor): Tensor => (table === undefined ? own(at) : takeRows(table, at))
    return hook === undefined ? rows(ids) : hook(packedSite(params, name), ids, rows)
  }
  const weight = parameter(params, `${name}.weight`)
  if (hook === undefined) return takeRows(weight, ids)
  return hook({ kind: 'embedding', name, params, weight }, ids, (at, table = weight) => takeRows(table, at))
}

/** Site of a packed table. One in float16 is converted to float32 if the hook reads its weight. */
const packedSite = (params: Params, name: string): LayerSite =>
  hasNf4(params, name)
    ? { kind: 'embedding', name, params }
    : {
        kind: 'embedding',
        name,
        params,
        get weight() {
          return parameter(params, `${name}.weight`)
        },
      }

/**
 * Rows of `table` `[entries, width]` at int32 `ids` `[…]`, as `[…, width]`. The gradient adds up the rows of equal
 * ids in one scatter; TF.js' own gradient iterates over the whole table.
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
