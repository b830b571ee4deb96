import { AttuneError, type Tree, isTensor } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'

/**
 * The outputs of a head as logits of classes, `[rows, classes]`, for regularizers that compare predicted distributions.
 * @param regularizer its name, for the error
 * @throws AttuneError `REGULARIZER_MISMATCH` for outputs of another shape, fewer than two classes, or several forward passes
 */
export function classLogits(head: Tree | undefined, regularizer: string): Tensor {
  if (isTensor(head) && head.rank === 2 && head.shape[1]! > 1) return head
  throw new AttuneError(
    'REGULARIZER_MISMATCH',
    `regularizer ${regularizer}: expected an objective whose head returns the logits of two or more classes for each row, got ${isTensor(head) ? `outputs of shape [${head.shape.join(', ')}]` : 'other outputs'}`,
    `Use ${regularizer} with a classification of texts, or remove it from \`regularizer\`.`,
  )
}
