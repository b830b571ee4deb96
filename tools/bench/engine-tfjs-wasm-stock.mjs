// @ts-check
/**
 * The WebAssembly backend as TensorFlow.js ships it. Only kernels that it lacks altogether are supplied, which run in plain
 * JavaScript: without them it could not take the step at all. @attune/engine-tfjs-wasm replaces some that it has.
 */
import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { eagerEngine } from '@attune/nn'
import { backend, setBackend } from '@tensorflow/tfjs-core'
import { supplyMissing } from '../../plugins/engine-tfjs-wasm/dist/kernels/missing.js'
import { refuseExhaustion } from '../../plugins/engine-tfjs-wasm/dist/refuse-exhaustion.js'

async function load() {
  supplyMissing()
  // It would write over its own memory when that is full; so it ends instead.
  if (await setBackend('wasm').catch(() => false)) refuseExhaustion(/** @type {any} */ (backend()))
}

export default () => eagerEngine({ backend: 'wasm', device: 'TF.js WebAssembly as shipped, 1 thread', load })
