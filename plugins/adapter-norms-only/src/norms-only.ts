import { ADAPTER, definePlugin } from '@attune/core'
import { trainOnly } from '@attune/nn'
import { z } from 'zod'

/**
 * Norm tuning: the scales and shifts of the normalization layers train (LayerNorm, RMSNorm); everything else is frozen. A head trains
 * too, unless it is a language-modeling head.
 */
export const normsOnly = definePlugin({
  kind: ADAPTER,
  name: 'norms-only',
  summary: 'Trains the normalization layers only',
  source: 'Zhao et al., Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning, 2024',
  options: z.strictObject({}),
  create: () => trainOnly('norms-only', () => (name) => /(norm|ln_[a-z0-9]+)\.(weight|bias)$/i.test(name)),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter norms-only': typeof normsOnly
  }
}

export default normsOnly
