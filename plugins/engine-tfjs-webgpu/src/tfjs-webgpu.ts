import '@tensorflow/tfjs'
import { ENGINE, type Engine, definePlugin } from '@attune/core'
import { eagerEngine, startBackend } from '@attune/nn'
import { backend } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { type Device, firstFailure } from './first-failure.js'
import { type WebgpuPackage, openAdapter } from './open-adapter.js'
import { splitSums } from './split-sums.js'

/**
 * The WebGPU backend of TensorFlow.js, executed eagerly: in Node through Dawn, which supports GPUs through Vulkan, Metal or
 * Direct3D 12. A command that the GPU rejects is an error when results are read.
 */
export const tfjsWebgpu = definePlugin({
  kind: ENGINE,
  name: 'tfjs-webgpu',
  summary: 'TensorFlow.js on any GPU through WebGPU',
  options: z.strictObject({}),
  create(): Engine {
    let device = 'TF.js WebGPU'
    let refuseFailure = (): void => undefined
    async function load(): Promise<void> {
      const { info } = await openAdapter(() => import('webgpu') as Promise<WebgpuPackage>)
      device = `TF.js WebGPU on ${[info.device, info.description].filter((part) => part !== '').join(', ') || info.vendor}`
      await import('@tensorflow/tfjs-backend-webgpu') // registers its backend only if a GPU is provided before
      splitSums()
      // If this fails, the engine tries the same again and reports the failure.
      if (await startBackend('webgpu'))
        refuseFailure = firstFailure((backend() as unknown as { readonly device: Device }).device)
    }
    const engine = eagerEngine({ backend: 'webgpu', device, load })
    const read: Engine['read'] = async (tree) => {
      const values = await engine.read(tree)
      refuseFailure()
      return values
    }
    return Object.defineProperty({ ...engine, read, launchBound: true }, 'device', { get: () => device })
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'engine tfjs-webgpu': typeof tfjsWebgpu
  }
}

export default tfjsWebgpu
