import { AttuneError } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'

/**
 * Returns `perExample`, `[batch]`, if the model has one vector `[batch, hidden]` for each example.
 * @param objective its name, for the error
 * @throws AttuneError `ROWS_MISMATCH` for a task with packed rows or several texts per example
 */
export function requireOneRowEach(vectors: Tensor, perExample: Tensor, objective: string): Tensor {
  const [rows, examples] = [vectors.shape[0]!, perExample.shape[0]!]
  if (rows === examples) return perExample
  throw new AttuneError(
    'ROWS_MISMATCH',
    `objective ${objective}: expected one row of the model for each example, got ${rows} rows for ${examples} examples`,
    'Remove `packTo` from the task, or use a task with one text per example.',
  )
}
