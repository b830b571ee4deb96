import '@tensorflow/tfjs'
import { ENGINE, definePlugin } from '@attune/core'
import { eagerEngine } from '@attune/nn'
import { z } from 'zod'

/**
 * The JavaScript backend of TensorFlow.js: slow, without native code, and the reference that other engines are compared with.
 */
export const tfjsCpu = definePlugin({
  kind: ENGINE,
  name: 'tfjs-cpu',
  summary: 'TensorFlow.js in plain JavaScript: slow, exact, portable',
  options: z.strictObject({}),
  create: () =>
    eagerEngine({ backend: 'cpu', device: 'TF.js in plain JavaScript, 1 thread', load: () => Promise.resolve() }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'engine tfjs-cpu': typeof tfjsCpu
  }
}

export default tfjsCpu
