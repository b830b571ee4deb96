import { AttuneError } from '@attune/core'
import { type Tensor, argMax, cast, equal, mean, oneHot, range, reshape, sum, tensor1d } from '@tensorflow/tfjs-core'

/**
 * Weights of the classes of `logits` `[rows, classes]` as a tensor `[classes]`; undefined if there are none.
 * @throws AttuneError `BAD_ARGUMENT` if there is not one weight per class
 */
export function perClass(weights: readonly number[] | undefined, logits: Tensor): Tensor | undefined {
  if (weights === undefined) return undefined
  const classes = logits.shape.at(-1) as number
  if (weights.length === classes) return tensor1d([...weights], 'float32')
  throw new AttuneError(
    'BAD_ARGUMENT',
    `expected one weight for each of the ${classes} classes, got ${weights.length} weights`,
    'List one weight per class, in the order of the labels.',
  )
}

/** One-hot rows `[rows, classes]`, float32, of int32 `labels` `[rows]`; a row of zeros for −1. */
export const oneHotRows = (labels: Tensor, classes: number): Tensor =>
  cast(equal(reshape(labels, [-1, 1]), range(0, classes, 1, 'int32')), 'float32') // TF.js' oneHot needs two classes.

/**
 * One-hot rows `[rows, count]`, float32, of the first maximum of each row of `x` `[rows, count]`, count ≥ 2; a constant of the
 * gradient.
 */
export const maximumOfRows = (x: Tensor): Tensor => cast(oneHot(argMax(x, 1) as never, x.shape[1] as number), 'float32')

/** Mean of each row over all other axes: `[rows, …]` to `[rows]`. */
export const rowMeans = (x: Tensor): Tensor =>
  x.rank < 2
    ? x
    : mean(
        x,
        x.shape.slice(1).map((_, i) => i + 1),
      )

/** Sum of each row over all other axes: `[rows, …]` to `[rows]`. */
export const rowSums = (x: Tensor): Tensor =>
  x.rank < 2
    ? x
    : sum(
        x,
        x.shape.slice(1).map((_, i) => i + 1),
      )
