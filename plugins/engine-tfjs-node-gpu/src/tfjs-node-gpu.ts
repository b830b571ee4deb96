import { ENGINE, type Engine, definePlugin } from '@attune/core'
import { eagerEngine } from '@attune/nn'
import { findBackend } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { candidates, loadTfjsNode } from './load-tfjs-node.js'

const BACKEND = 'tensorflow'

/** What the backend says of itself. */
interface TensorFlowBackend {
  readonly binding: { readonly TF_Version: string }
  readonly isUsingGpuDevice: boolean
}

/**
 * TensorFlow's own kernels through its C library, one operation at a time as it is called: on an NVIDIA GPU with
 * `@tensorflow/tfjs-node-gpu`, else on all cores of the processor with `@tensorflow/tfjs-node`.
 */
export const tfjsNodeGpu = definePlugin({
  kind: ENGINE,
  name: 'tfjs-node-gpu',
  summary: 'TensorFlow itself, on an NVIDIA GPU where there is one',
  options: z.strictObject({}),
  create(): Engine {
    let device = 'TensorFlow through TF.js'
    let launchBound = false
    async function load(): Promise<void> {
      process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1' // TensorFlow prints the processor's instructions otherwise
      const name = await loadTfjsNode(candidates(process.env['ATTUNE_TFJS_NODE']))
      const { binding, isUsingGpuDevice } = findBackend(BACKEND) as unknown as TensorFlowBackend
      launchBound = isUsingGpuDevice
      device = `TensorFlow ${binding.TF_Version} on the ${isUsingGpuDevice ? 'GPU' : 'processor'}, through ${name}`
    }
    // What computes is known once it is loaded, so the device is asked for, not copied.
    return Object.defineProperties(eagerEngine({ backend: BACKEND, device, load }), {
      device: { get: () => device },
      launchBound: { get: () => launchBound },
    })
  },
})
export default tfjsNodeGpu
