import { LOSS, type LossTerm, definePlugin } from '@attune/core'
import { klDivergence as klDivergenceOfRows, reverseKlDivergence } from '@attune/nn'
import { z } from 'zod'

/**
 * Kullback–Leibler divergence of the softmax p of logits and target distributions t.
 *
 *     forward: KL(t ‖ p) = Σ_c t_c · (ln t_c − ln p_c)
 *     reverse: KL(p ‖ t) = Σ_c p_c · (ln p_c − ln t_c)
 *
 * As the sum over the classes of torch.nn.KLDivLoss, whose input is ln p, and whose `reduction="mean"` also divides by the
 * number of classes. Near neighbour: Jensen–Shannon divergence, symmetric and bounded.
 */
export const klDivergence = definePlugin({
  kind: LOSS,
  name: 'kl-divergence',
  summary: 'Kullback–Leibler divergence between target and predicted distribution, in either direction',
  source: 'Kullback and Leibler, On Information and Sufficiency, 1951, equation 2.4',
  options: z.strictObject({
    direction: z
      .enum(['forward', 'reverse'])
      .default('forward')
      .describe('forward: KL(target ‖ prediction), covers all modes; reverse: KL(prediction ‖ target), seeks one mode'),
    minimumTarget: z
      .number()
      .positive()
      .max(0.1)
      .default(1e-7)
      .describe('Smallest target probability in the reverse direction, which is infinite for a target of 0'),
  }),
  create: ({ direction, minimumTarget }): LossTerm => ({
    compares: 'indicators',
    losses: (logits, targets) =>
      direction === 'forward'
        ? klDivergenceOfRows(logits, targets)
        : reverseKlDivergence(logits, targets, minimumTarget),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss kl-divergence': typeof klDivergence
  }
}

export default klDivergence
