import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { ENGINE, definePlugin } from '@attune/core'
import { checkIndices, eagerEngine, startBackend, supplyKernels } from '@attune/nn'
import { backend } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { replaceBatchMatMul } from './kernels/batch-mat-mul.js'
import { replaceGather } from './kernels/gather.js'
import { replaceIdentity } from './kernels/identity.js'
import { replaceSum } from './kernels/sum.js'
import { borrowUnsupported } from './kernels/unsupported.js'
import { refuseExhaustion } from './refuse-exhaustion.js'
import type { WasmBackend } from './wasm-backend.js'

async function load(): Promise<void> {
  supplyKernels('wasm')
  replaceBatchMatMul()
  replaceSum()
  replaceIdentity()
  replaceGather()
  checkIndices('wasm')
  borrowUnsupported()
  // If this fails, the engine tries the same again and reports the failure.
  if (await startBackend('wasm')) refuseExhaustion(backend() as unknown as WasmBackend)
}

/**
 * The WebAssembly backend of TensorFlow.js, extended by the kernels that training needs and with matrix products that always use
 * the fast path. One thread in Node.
 */
export const tfjsWasm = definePlugin({
  kind: ENGINE,
  name: 'tfjs-wasm',
  summary: 'TensorFlow.js on WebAssembly, one thread',
  options: z.strictObject({}),
  create: () => eagerEngine({ backend: 'wasm', device: 'TF.js WebAssembly, 1 thread', load }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'engine tfjs-wasm': typeof tfjsWasm
  }
}

export default tfjsWasm
