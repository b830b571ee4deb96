import { ENGINE, type Engine, definePlugin } from '@attune/core'
import { eagerEngine } from '@attune/nn'
import { findBackend } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { candidates, loadTfjsNode } from './load-tfjs-node.js'

const BACKEND = 'tensorflow'

/** Properties of the TensorFlow backend. */
interface TensorFlowBackend {
  readonly binding: { readonly TF_Version: string }
  readonly isUsingGpuDevice: boolean
}

/**
 * TensorFlow's kernels through its C library, executed eagerly: on an NVIDIA GPU with `@tensorflow/tfjs-node-gpu`, else on all CPU
 * cores with `@tensorflow/tfjs-node`.
 */
export const tfjsNodeGpu = definePlugin({
  kind: ENGINE,
  name: 'tfjs-node-gpu',
  summary: "TensorFlow's native kernels, on an NVIDIA GPU if there is one",
  options: z.strictObject({}),
  create(): Engine {
    let device = 'TensorFlow through TF.js'
    let launchBound = false
    async function load(): Promise<void> {
      process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1' // otherwise TensorFlow prints the instruction sets of the CPU
      const name = await loadTfjsNode(candidates(process.env['ATTUNE_TFJS_NODE']))
      const { binding, isUsingGpuDevice } = findBackend(BACKEND) as unknown as TensorFlowBackend
      launchBound = isUsingGpuDevice
      device = `TensorFlow ${binding.TF_Version} on the ${isUsingGpuDevice ? 'GPU' : 'CPU'}, through ${name}`
    }
    // The device is known only after loading, so it is a getter.
    return Object.defineProperties(eagerEngine({ backend: BACKEND, device, load }), {
      device: { get: () => device },
      launchBound: { get: () => launchBound },
    })
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'engine tfjs-node-gpu': typeof tfjsNodeGpu
  }
}

export default tfjsNodeGpu
