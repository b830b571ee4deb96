// @ts-check
/**
 * The WebAssembly backend as shipped by TensorFlow.js. Only missing kernels are added, in plain JavaScript; without them it could not run
 * the step at all. @attune/engine-tfjs-wasm also replaces some of its kernels.
 */
import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { eagerEngine, supplyKernels } from '@attune/nn'
import { backend, setBackend } from '@tensorflow/tfjs-core'
import { refuseExhaustion } from '../../plugins/engine-tfjs-wasm/dist/refuse-exhaustion.js'

async function load() {
  supplyKernels('wasm')
  // Out of memory, the backend would overwrite its own memory; this ends the process instead.
  if (await setBackend('wasm').catch(() => false)) refuseExhaustion(/** @type {any} */ (backend()))
}

export default () => eagerEngine({ backend: 'wasm', device: 'TF.js WebAssembly as shipped, 1 thread', load })
