import type { Scalar } from '@tensorflow/tfjs-core'
import { kind } from '../kind.js'
import type { Params } from '../tree.js'

/** A term added to the mean loss: a scalar function of the trainable parameters. */
export type Regularizer = (trainable: Params) => Scalar

/** A term of the loss. */
export const REGULARIZER = kind<Regularizer>('regularizer', 'many')
