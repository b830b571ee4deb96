import '@tensorflow/tfjs'
import { ENGINE, type Engine, definePlugin } from '@attune/core'
import { eagerEngine } from '@attune/nn'
import { z } from 'zod'
import { type WebgpuPackage, openAdapter } from './open-adapter.js'

/**
 * The WebGPU backend of TensorFlow.js, one operation at a time as it is called: in Node through Dawn, which reaches GPUs
 * by Vulkan, Metal or Direct3D 12.
 */
export const tfjsWebgpu = definePlugin({
  kind: ENGINE,
  name: 'tfjs-webgpu',
  summary: 'TensorFlow.js on any GPU, through WebGPU',
  options: z.strictObject({}),
  create(): Engine {
    let device = 'TF.js WebGPU'
    async function load(): Promise<void> {
      const { info } = await openAdapter(() => import('webgpu') as Promise<WebgpuPackage>)
      device = `TF.js WebGPU on ${[info.device, info.description].filter((part) => part !== '').join(', ') || info.vendor}`
      await import('@tensorflow/tfjs-backend-webgpu') // which registers its backend only where a GPU is provided by now
    }
    return Object.defineProperty(eagerEngine({ backend: 'webgpu', device, load }), 'device', { get: () => device })
  },
})
export default tfjsWebgpu
