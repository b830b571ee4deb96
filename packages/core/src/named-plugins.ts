import type { adapterOptions } from './kinds/adapter.js'
import type { lossOptions } from './kinds/loss.js'
import type { metricOptions } from './kinds/metric.js'
import type { modelOptions } from './kinds/model.js'
import type { optimizerOptions } from './kinds/optimizer.js'
import type { schedulerOptions } from './kinds/scheduler.js'

/**
 * Plugins by `<kind> <name>`, so that the compiler checks the options of a plugin that a configuration names. A plugin's module adds
 * itself by declaration merging; it takes effect wherever the module is imported, if only as `import type {} from '…'`.
 *
 * @example
 * ```ts
 * import { SCHEDULER, definePlugin } from '@attune/core'
 * import { z } from 'zod'
 * const sudden = definePlugin({
 *   kind: SCHEDULER, name: 'sudden', summary: 'Drops to 0 at a step',
 *   options: z.strictObject({ at: z.int().min(1) }),
 *   create: ({ at }) => (step) => (step < at ? 1 : 0),
 * })
 * declare module '@attune/core' {
 *   interface NamedPlugins {
 *     'scheduler sudden': typeof sudden
 *   }
 * }
 * console.log(sudden({ at: 3 })(2, 10)) // 1
 * ```
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- plugins fill it by declaration merging
export interface NamedPlugins {}

/** Schemas of the options that every plugin of a kind takes, by the kind's name. */
export interface CommonOptions {
  readonly adapter: typeof adapterOptions
  readonly loss: typeof lossOptions
  readonly metric: typeof metricOptions
  readonly model: typeof modelOptions
  readonly optimizer: typeof optimizerOptions
  readonly scheduler: typeof schedulerOptions
}
