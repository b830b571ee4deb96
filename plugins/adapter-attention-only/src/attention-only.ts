import { ADAPTER, definePlugin } from '@attune/core'
import { trainOnly } from '@attune/nn'
import { z } from 'zod'

/**
 * Attention tuning: the attention layers train, a third of the parameters of a transformer layer; feed-forward layers, embeddings and
 * norms outside of attention are frozen. A head trains too, unless it is a language-modeling head. A parameter belongs to attention if its
 * name, without the model's prefix, contains `attn` or `attention`.
 */
export const attentionOnly = definePlugin({
  kind: ADAPTER,
  name: 'attention-only',
  summary: 'Trains the attention layers only',
  source: 'Touvron et al., Three Things Everyone Should Know About Vision Transformers, 2022, section 4',
  options: z.strictObject({}),
  create: () =>
    trainOnly(
      'attention-only',
      ({ prefix }) =>
        (name) =>
          /att(ention|n)/i.test(name.slice(prefix.length)),
    ),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter attention-only': typeof attentionOnly
  }
}

export default attentionOnly
