/**
 * Direct preference optimization (DPO) as an objective plugin defined in a program.
 * Source: Rafailov et al., Direct Preference Optimization, 2023, equation 7.
 */
import * as core from '@attune/core'
import { logSigmoid } from '@attune/nn'
import causalLanguageModeling from '@attune/objective-causal-language-modeling'
import { type Tensor, mul, neg, onesLike, reshape, split, squeeze, sub, sum, transpose } from '@tensorflow/tfjs-core'
import { z } from 'zod'

interface Pair extends core.Encoded {
  readonly chosen: core.Encoded
  readonly rejected: core.Encoded
}

/** DPO loss, `−ln σ(β·(margin − reference margin))` with `margin = ln p(chosen) − ln p(rejected)`. */
export const dpo = core.definePlugin({
  kind: core.OBJECTIVE,
  name: 'dpo',
  summary: 'Direct preference optimization',
  options: z.strictObject({ beta: z.number().positive().default(0.1), maximumLength: z.int().default(32) }),
  needs: { model: core.MODEL, tokenizer: core.TOKENIZER },
  create({ beta, maximumLength }, given): core.Objective<Pair, core.Batch, Tensor> {
    const language: core.AnyObjective = causalLanguageModeling({ maximumLength }, given)
    const encode = ({ chosen, rejected }: core.Example): Pair => {
      const [first, second] = [language.encode({ text: chosen }), language.encode({ text: rejected })]
      const truncated = first.truncated || second.truncated
      return { chosen: first, rejected: second, truncated, length: Math.max(first.length, second.length) }
    }
    const margin = (logs: Tensor): Tensor => squeeze(sub(...(split(logs, 2, 1) as [Tensor, Tensor])), [1])
    const even = (losses: Tensor): core.Losses => ({ losses, weights: onesLike(losses) })
    return {
      ...language,
      views: ['label'],
      needsReference: true,
      encode,
      encodeUnlabelled: encode,
      collate: (pairs) =>
        language.collate([...pairs.map((pair) => pair.chosen), ...pairs.map((pair) => pair.rejected)]),
      // Log-probabilities of the chosen and the rejected text, [pairs, 2].
      head(params, outputs, mode, batch) {
        const { losses } = language.head(params, outputs, mode, batch)
        return transpose(reshape(neg(sum(mul(losses, batch['weights'] as Tensor), -1)), [2, -1]))
      },
      loss: (logs) => even(neg(logSigmoid(mul(beta, margin(logs))))),
      trainingLoss({ params, mode, forward, models: { reference } }, batch) {
        const inputs = batch.inputs as unknown as core.TextInputs
        const now = margin(this.head(params, forward(inputs), mode, batch))
        const before = margin(reference!.head(reference!.forward(inputs), batch) as Tensor)
        return even(neg(logSigmoid(mul(beta, sub(now, before)))))
      },
      predict: ({ values }, pairs) =>
        pairs.map((_, i) => ({ label: values[2 * i]! > values[2 * i + 1]! ? 'chosen' : 'rejected' })),
      reference: () => ({ label: 'chosen' }),
    }
  },
})
