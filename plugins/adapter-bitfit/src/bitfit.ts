import { ADAPTER, definePlugin } from '@attune/core'
import { trainOnly } from '@attune/nn'
import { z } from 'zod'

/**
 * BitFit: the biases of the model train, those of norms included, about 0.1 % of the parameters; everything else is frozen. A head
 * trains too, unless it is a language-modeling head. Throws AttuneError `NOTHING_TRAINS` for a model without biases, such as T5, if there is
 * no such head.
 */
export const bitfit = definePlugin({
  kind: ADAPTER,
  name: 'bitfit',
  summary: 'BitFit: trains the biases only',
  source:
    'Ben Zaken, Ravfogel and Goldberg, BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked Language-models, 2022',
  options: z.strictObject({}),
  create: () => trainOnly('bitfit', () => (name) => /(^|[._])bias$/.test(name)),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter bitfit': typeof bitfit
  }
}

export default bitfit
