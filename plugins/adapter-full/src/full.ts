import { ADAPTER, type Adapter, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Full fine-tuning: every parameter trains, none is frozen, and what was trained is the model. */
export const full = definePlugin({
  kind: ADAPTER,
  name: 'full',
  summary: 'Every parameter trains',
  options: z.strictObject({}),
  create: (): Adapter => ({
    adapt: (model, params) => ({ model, trainable: params, frozen: {}, merge: (trainable) => trainable }),
  }),
})
export default full
