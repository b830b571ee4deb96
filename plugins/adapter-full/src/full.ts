import { ADAPTER, type Adapter, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Full fine-tuning: every parameter trains, none is frozen, and the trained parameters are the model. */
export const full = definePlugin({
  kind: ADAPTER,
  name: 'full',
  summary: 'Full fine-tuning: every parameter trains',
  options: z.strictObject({}),
  create: (): Adapter => ({
    adapt: (model, params) => ({ model, trainable: params, frozen: {}, merge: (trainable) => trainable }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter full': typeof full
  }
}

export default full
