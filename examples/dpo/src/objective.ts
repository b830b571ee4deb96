/**
 * A preference loss of one's own: the objective `preferences` with another loss.
 * Source: D'Oosterlinck et al., Anchored Preference Optimization (APO), 2024, equation 7.
 */
import * as core from '@attune/core'
import preferences from '@attune/objective-preferences'
import { type Tensor, add, mul, onesLike, sigmoid, split, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * APO-zero, `1 − σ(β · r⁺) + σ(β · r⁻)`: raises the chosen text and lowers the rejected one, each relative to the reference model. The
 * rows, the log-ratios r of the head and the predictions are those of `preferences`.
 */
export const apo = core.definePlugin({
  kind: core.OBJECTIVE,
  name: 'apo',
  summary: 'Anchored preference optimization',
  options: z.strictObject({ beta: z.number().positive().default(0.1), maximumLength: z.int().default(32) }),
  needs: { model: core.MODEL, tokenizer: core.TOKENIZER },
  create({ beta, maximumLength }, given): core.AnyObjective {
    return {
      ...(preferences({ beta, maximumLength }, given) as core.AnyObjective),
      loss({ scores }: { scores: Tensor }): core.Losses {
        const [chosen, rejected] = split(scores, 2) as [Tensor, Tensor]
        const losses = add(sub(1, sigmoid(mul(beta, chosen))), sigmoid(mul(beta, rejected)))
        return { losses, weights: onesLike(losses) }
      },
    }
  },
})
