import { AttuneError, type Hyper, type LossFunction, type Params, type Regularizer } from '@attune/core'
import { type Tensor, add, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { isBiasOrNorm } from '../transformations/add-decayed-weights.js'
import { matchesPattern } from '../transformations/restrict-to.js'

/**
 * Regularizer that adds a scalar function of the trainable parameters to the mean loss: `mean + term`. The sum grows
 * by `term · weight`, so that gradient accumulation over micro-batches is exact.
 */
export const penalty = (term: (trainable: Params, hyper: Hyper) => Tensor): Regularizer => ({
  wrap:
    (loss): LossFunction =>
    (call) => {
      const { sum, weight, ...rest } = loss(call)
      return { ...rest, sum: add(sum, mul(term(call.trainable, call.hyper), weight)), weight }
    },
})

/** Options of the parameters that a penalty applies to: see {@link weightsOf}. */
export const weightOptions = {
  all: z.boolean().default(false).describe('Also penalize biases and norms'),
  only: z
    .string()
    .min(1)
    .optional()
    .describe('Parameters to penalize, a pattern of names: * any characters, | or, ! except. Default: all'),
}

/**
 * The trainable parameters whose names match a pattern, as in {@link matchesPattern}; without one, all.
 * @throws AttuneError `BAD_OPTIONS` if there are none
 */
export function chosenParams(trainable: Params, only: string | undefined): Params {
  if (only === undefined) return trainable
  const names = Object.keys(trainable)
  const chosen = names.filter((name) => matchesPattern(name, only))
  if (chosen.length > 0) return Object.fromEntries(chosen.map((name) => [name, trainable[name]!]))
  throw new AttuneError(
    'BAD_OPTIONS',
    `regularizer: expected a pattern \`only\` that matches a trainable parameter, got "${only}"`,
    `Correct it to match one of ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}.`,
  )
}

/**
 * The parameters that a penalty on weights applies to: without biases and norms, unless `all`, and with `only` those whose names match.
 * @throws AttuneError `BAD_OPTIONS` if no name matches
 */
export const weightsOf = (
  trainable: Params,
  { all, only }: { readonly all: boolean; readonly only?: string | undefined },
): Tensor[] =>
  Object.entries(chosenParams(trainable, only))
    .filter(([name, { rank }]) => all || !isBiasOrNorm(name, rank))
    .map(([, weight]) => weight)
