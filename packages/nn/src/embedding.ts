import type { Params } from '@attune/core'
import { type Tensor, gather } from '@tensorflow/tfjs-core'
import { parameter } from './parameter.js'

/** Rows of a table: `name.weight` `[entries, width]` at int32 `ids` `[…]` gives `[…, width]`. */
export const embedding = (params: Params, name: string, ids: Tensor): Tensor =>
  gather(parameter(params, `${name}.weight`), ids as Tensor & { dtype: 'int32' })
