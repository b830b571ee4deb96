import '@tensorflow/tfjs'
import { ENGINE, definePlugin } from '@attune/core'
import { eagerEngine } from '@attune/nn'
import { z } from 'zod'

/**
 * The JavaScript backend of TensorFlow.js: no speed to speak of, no native code, and the numbers that other engines are
 * compared with.
 */
export const tfjsCpu = definePlugin({
  kind: ENGINE,
  name: 'tfjs-cpu',
  summary: 'TensorFlow.js in plain JavaScript: slow, exact, everywhere',
  options: z.strictObject({}),
  create: () =>
    eagerEngine({ backend: 'cpu', device: 'TF.js in plain JavaScript, 1 thread', load: () => Promise.resolve() }),
})
export default tfjsCpu
