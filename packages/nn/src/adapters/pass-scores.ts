import { AttuneError, type DataPass, type Params, type PassAt, type PassOptions } from '@attune/core'
import { type Tensor, add, zerosLike } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { type Scores, asScores } from './largest-scores.js'

/** Options of adapters that compute statistics of the training data. */
export const passOptions = {
  batches: z
    .int()
    .min(1)
    .optional()
    .describe('Batches of training data that the scores are computed from; default: all'),
  batchSize: z.int().min(1).optional().describe('Examples per batch of that pass; default: those of a micro-batch'),
}

/** The options of a pass that are given. */
export const passLimits = ({
  batches,
  batchSize,
}: {
  readonly batches?: number | undefined
  readonly batchSize?: number | undefined
}): PassOptions => ({
  ...(batches === undefined ? {} : { limit: batches }),
  ...(batchSize === undefined ? {} : { batchSize }),
})

/**
 * The pass over the training data that an adapter needs.
 * @throws AttuneError `NO_DATA_PASS` if there is none
 */
export function requirePass(adapter: string, pass: DataPass | undefined): DataPass {
  if (pass !== undefined) return pass
  throw new AttuneError(
    'NO_DATA_PASS',
    `adapter ${adapter}: expected a pass over the training data to compute scores from, got none`,
    'Train with `npx attune train` or `run()`, or call `adapt(model, params, { pass })`.',
  )
}

/**
 * Sums a statistic of weights and their gradients over the training data, and returns the sums on the host. Gradients are of the mean loss of
 * a batch, without dropout.
 * @param names the parameters
 */
export async function sumOverPass(
  pass: DataPass,
  names: readonly string[],
  statistic: (weight: Tensor, gradient: Tensor) => Tensor,
  options: PassOptions,
): Promise<Scores> {
  const over = (tensor: (name: string) => Tensor): Params =>
    Object.fromEntries(names.map((name) => [name, tensor(name)]))
  const sums = await pass.fold(
    (trainable) => over((name) => zerosLike(trainable[name]!)),
    (state, at: PassAt) => {
      const gradients = at.gradients()
      return over((name) => add(state[name]!, statistic(at.params[name]!, gradients[name]!)))
    },
    options,
  )
  const scores = asScores(await pass.read(sums))
  pass.release(sums)
  return scores
}
